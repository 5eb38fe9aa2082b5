import type { ActivityOptions } from '@perdure/sdk/workflow';
import { HEARTBEAT_TIMEOUT_MS, LATER_TIMEOUT_MS, SLOW_TIMEOUT_MS, type Behaviour } from '../program/program.js';

/** Served by workers with one slot: who kills them takes nobody along. */
export const FRAGILE_QUEUE = 'fragile';

const RETRY = { initialInterval: 20, maxInterval: 200 } as const;
const PATIENT = { startToCloseTimeout: '20s', retry: RETRY } as const;

export const UNDO_OPTIONS: ActivityOptions = PATIENT;

/** Under these an activity closes as its behaviour says, however often processes die: attempts are bounded only where failing is an allowed end. */
export const optionsOf = (behaviour: Behaviour): ActivityOptions => {
  switch (behaviour.kind) {
    case 'crash':
      return { ...PATIENT, queue: FRAGILE_QUEUE };
    case 'exhausted':
      return { ...PATIENT, retry: { ...RETRY, maxAttempts: behaviour.attempts } };
    case 'slow':
      return { ...PATIENT, startToCloseTimeout: SLOW_TIMEOUT_MS };
    case 'overdue':
      return { ...PATIENT, startToCloseTimeout: SLOW_TIMEOUT_MS, retry: { ...RETRY, maxAttempts: 1 } };
    case 'later':
      return { ...PATIENT, startToCloseTimeout: LATER_TIMEOUT_MS };
    case 'silent':
      return { ...PATIENT, heartbeatTimeout: HEARTBEAT_TIMEOUT_MS };
    default:
      return PATIENT;
  }
};
