import type { RunResult } from '@perdure/contract';
import type { RunState } from '@perdure/engine';
import type { RunRow } from './ports/history-rows.js';

export function toRunRow(number: number, state: RunState, result: RunResult | undefined): RunRow {
  return {
    number,
    ...state.run,
    workflowType: state.workflowType,
    status: state.status,
    pin: state.pin,
    startedAt: state.startedAt,
    chain: state.chain,
    ...state.attributes,
    ...(state.closedAt !== undefined && { closedAt: state.closedAt }),
    ...(state.parent && { parent: state.parent }),
    ...(state.continuedFrom !== undefined && { continuedFrom: state.continuedFrom }),
    ...(state.continuedTo !== undefined && { continuedTo: state.continuedTo }),
    ...(state.suspended && { suspended: state.suspended }),
    ...(state.trace !== undefined && { trace: state.trace }),
    ...(result && { result }),
  };
}

/** What of a state the row shows; each is replaced, never changed in place. */
export type Shown = Pick<RunState, 'status' | 'pin' | 'attributes' | 'suspended' | 'continuedTo' | 'closedAt'>;

export const shownOf = ({ status, pin, attributes, suspended, continuedTo, closedAt }: RunState): Shown => ({ status, pin, attributes, suspended, continuedTo, closedAt });

export const isShownOtherwise = (before: Shown, after: RunState): boolean =>
  before.status !== after.status ||
  before.pin !== after.pin ||
  before.attributes !== after.attributes ||
  before.suspended !== after.suspended ||
  before.continuedTo !== after.continuedTo ||
  before.closedAt !== after.closedAt;
