import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { activity, completeLater, TerminalError, type Undo } from '@perdure/sdk/activity';
import { OVERRUN_MS, PROGRESS_END, PROGRESS_SILENT_AT, HEARTBEAT_TIMEOUT_MS, SLOW_TIMEOUT_MS, valueOf, type Done, type Work } from '../program/program.js';
import type { HandOut, LedgerRecord } from '../book/ledger-record.js';

export interface EffectsOptions {
  /** Resolves once the record is on the ledger's disk. */
  readonly record: (record: LedgerRecord) => Promise<void>;
  /** Completes the attempt that the token names; resolves when the server has answered. */
  readonly complete: (token: string, done: Done) => Promise<void>;
  /** Ends this process at once. */
  readonly die: () => never;
}

/** The activities of the interpreter: each tells the ledger of its attempt, and of its effect under its idempotency key. */
export const createEffects = ({ record, complete, die }: EffectsOptions) => {
  const begin = async (effectId: string): Promise<{ readonly execution: string; readonly apply: (undoes?: Undone) => Promise<Done> }> => {
    const { idempotencyKey: key, attempt, info, progress } = activity();
    const execution = randomUUID();
    await record({ kind: 'attempt', execution, key, effectId, attempt, handOut: handOutOf(info.token), ...(typeof progress === 'number' && { progress }) });
    const apply = async (undoes?: Undone): Promise<Done> => {
      await record({ kind: 'effect', execution, key, effectId, ...(undoes && { undoes }) });
      return { value: valueOf(effectId), execution };
    };
    return { execution, apply };
  };

  const perform = async ({ effectId, behaviour }: Work): Promise<Done> => {
    const { apply } = await begin(effectId);
    const { attempt } = activity();
    const failing = 'times' in behaviour && attempt <= behaviour.times;
    if (failing && 'applied' in behaviour && behaviour.applied) await apply();
    switch (behaviour.kind) {
      case 'flaky':
        if (failing) throw new Error(`planned failure ${attempt} of ${effectId}`);
        break;
      case 'exhausted':
        throw new Error(`planned failure ${attempt} of ${effectId}`);
      case 'terminal':
        if (behaviour.applied) await apply();
        throw new TerminalError(`planned end of ${effectId}`);
      case 'crash':
        if (failing) die();
        break;
      case 'slow':
        if (failing) await pause(SLOW_TIMEOUT_MS + OVERRUN_MS);
        break;
      case 'overdue':
        await pause(SLOW_TIMEOUT_MS + OVERRUN_MS);
        break;
      case 'silent':
        return beating(attempt, apply);
      case 'later': {
        const { token } = activity().info;
        void pause(behaviour.afterMs).then(() => apply()).then((done) => complete(token, done));
        return completeLater();
      }
      default:
    }
    return apply();
  };

  const undo = async ({ input, idempotencyKey, result }: Undo<Work, Done>): Promise<Done> => {
    const { apply } = await begin(`${input.effectId}/undo`);
    const done = await apply({ key: idempotencyKey, ...(result && { value: result.value }) });
    if (activity().attempt === 1 && idempotencyKey.length % 3 === 0) throw new Error(`planned failure of the undo of ${input.effectId}`);
    return done;
  };

  return { perform, undo };
};

export type Undone = NonNullable<Extract<LedgerRecord, { kind: 'effect' }>['undoes']>;

const BEAT_MS = 200;

/** The first attempt falls silent half way and goes on when it is too late; later ones are heard of as long as their effect takes. */
const beating = async (attempt: number, apply: () => Promise<Done>): Promise<Done> => {
  const { heartbeat, progress } = activity();
  for (let at = typeof progress === 'number' ? progress : 0; at < PROGRESS_END; at++) {
    heartbeat(at + 1);
    if (attempt === 1 && at + 1 === PROGRESS_SILENT_AT) await pause(HEARTBEAT_TIMEOUT_MS + OVERRUN_MS);
  }
  const timer = setInterval(() => heartbeat(), BEAT_MS);
  return apply().finally(() => clearInterval(timer));
};

/** A token is `slice.epoch.attempt.nonce.key`, and its nonce begins with the number of the hand-out. */
const handOutOf = (token: string): HandOut => {
  const [slice, epoch, , nonce = ''] = token.split('.', 4);
  return [Number(slice), Number(epoch), Number.parseInt(nonce, 36)];
};
