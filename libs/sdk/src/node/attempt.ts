import type { Failure, Json, TaskAnswer, TaskEnvelope } from '@perdure/contract';
import { withActivity, type ActivityContext } from '../activity/activity-context.js';
import { CompleteLater } from '../activity/complete-later.js';
import { fromInput } from '../common/arguments.js';
import { Cancelled } from '../common/errors.js';
import { fromFailure, readSafely, toFailure } from '../common/failure.js';
import type { ActivityFunction } from './activity-registry.js';
import { inActivitySpan } from './activity-span.js';
import { answerJson } from './answer-json.js';

export type StopReason = 'cancelled' | 'superseded' | 'shutdown';

const STOP_TEXT: Readonly<Record<StopReason, string>> = {
  cancelled: 'The activity was asked to stop',
  superseded: 'The attempt no longer counts: it timed out, was handed out anew, or its run has closed',
  shutdown: 'The worker shuts down',
};

/** How an attempt ended: the answer's text, and the failure in it. */
export interface Ended {
  readonly kind: TaskAnswer['kind'];
  readonly json: string;
  readonly error?: Failure;
}

/** One attempt in the worker's hands. */
export class Attempt {
  readonly task: TaskEnvelope;
  readonly #controller = new AbortController();
  readonly #context: ActivityContext;
  readonly #onHeartbeat: (attempt: Attempt) => void;
  /** Why it was asked to stop. */
  stopped: StopReason | undefined;
  progress: Json | undefined;
  /** Progress or a sign of life that was not sent yet. */
  unsent = false;
  beatenMs = -Infinity;

  constructor(task: TaskEnvelope, onHeartbeat: (attempt: Attempt) => void) {
    this.task = task;
    this.progress = task.progress;
    this.#onHeartbeat = onHeartbeat;
    this.#context = this.#createContext();
  }

  get token(): string {
    return this.task.token;
  }

  stop(reason: StopReason): void {
    if (this.stopped === 'superseded' || this.stopped === reason) return;
    this.stopped = reason;
    // Listeners of the signal are the activity's own code: activity() holds in them too.
    withActivity(this.#context, () => this.#controller.abort(new Cancelled(STOP_TEXT[reason])));
  }

  /** Runs the activity to its end. Never rejects. */
  run(run: ActivityFunction): Promise<Ended> {
    return inActivitySpan(this.task, async (failed) => {
      try {
        const value = await withActivity(this.#context, () => run(...fromInput(this.task.input)));
        return { kind: 'completed', json: answerJson(this.token, value) };
      } catch (thrown) {
        const answer = this.#toAnswer(thrown);
        const ended = { kind: answer.kind, json: JSON.stringify(answer) };
        if (answer.kind !== 'failed') return ended;
        // As data, for what was thrown may be hostile to whoever reads it.
        failed(fromFailure(answer.error));
        return { ...ended, error: answer.error };
      }
    });
  }

  #createContext(): ActivityContext {
    const { run, workflowType, seq, role, name, queue, bundle, token, deadline, trace, idempotencyKey, attempt } = this.task;
    const progressNow = (): Json | undefined => this.progress;
    return {
      idempotencyKey,
      attempt,
      signal: this.#controller.signal,
      info: { run, workflowType, seq, role, name, queue, bundle, token, deadline, ...(trace === undefined ? {} : { trace }) },
      get progress() {
        return progressNow();
      },
      heartbeat: (progress) => this.#heartbeat(progress),
    };
  }

  #heartbeat(progress: unknown): void {
    // Serialised at once: the activity may go on to change the object.
    if (progress !== undefined) this.progress = JSON.parse(JSON.stringify(progress) ?? 'null') as Json;
    this.unsent = true;
    this.#onHeartbeat(this);
  }

  #toAnswer(thrown: unknown): TaskAnswer {
    const { token } = this;
    const error = toFailure(thrown);
    if (error.type === CompleteLater.name) return { token, kind: 'accepted' };
    if (this.stopped === 'cancelled' && (thrown === this.#controller.signal.reason || error.type === 'Cancelled' || error.type === 'AbortError')) return { token, kind: 'cancelled', error: { ...error, type: 'Cancelled' } };
    const retryAfterMs = typeof thrown === 'object' && thrown !== null ? readSafely(thrown, 'retryAfterMs') : undefined;
    return { token, kind: 'failed', error, ...(typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? { retryAfterMs } : {}) };
  }
}
