import type { CancelTimer, Clock } from '@perdure/clock';
import { toPerdureError, type HeartbeatRequest, type HeartbeatResponse } from '@perdure/contract';
import type { Attempt } from './attempt.js';
import type { WorkerTransport } from './worker-transport.js';

const INTERVAL_MAX_MS = 30_000;
/** Of an attempt's heartbeat timeout: two may be lost. */
const INTERVALS_PER_TIMEOUT = 3;
/** For attempts without a timeout progress is a convenience. */
const INTERVAL_DEFAULT_MS = 5_000;

export interface HeartbeatOutboxOptions {
  readonly transport: WorkerTransport;
  readonly clock: Clock;
  readonly onResponse: (attempt: Attempt, response: HeartbeatResponse) => void;
  readonly log: (text: string) => void;
}

/** Signs of life on their way: throttled for each attempt, those that are due together share a request. */
export class HeartbeatOutbox {
  readonly #options: HeartbeatOutboxOptions;
  readonly #waiting = new Set<Attempt>();
  #armedMs = Infinity;
  #disarm: CancelTimer | undefined;

  constructor(options: HeartbeatOutboxOptions) {
    this.#options = options;
  }

  add(attempt: Attempt): void {
    if (this.#waiting.has(attempt)) return;
    this.#waiting.add(attempt);
    this.#arm(dueMs(attempt));
  }

  /** Before a failure is answered: what the attempt last reported is what the next one starts from. */
  async flush(attempt: Attempt): Promise<void> {
    if (attempt.unsent) await this.#send([attempt]);
  }

  remove(attempt: Attempt): void {
    this.#waiting.delete(attempt);
  }

  #arm(atMs: number): void {
    if (atMs >= this.#armedMs) return;
    this.#disarm?.();
    this.#armedMs = atMs;
    this.#disarm = this.#options.clock.at(atMs, () => this.#sound());
  }

  #sound(): void {
    this.#armedMs = Infinity;
    const now = this.#options.clock.now();
    const due = [...this.#waiting].filter((attempt) => dueMs(attempt) <= now);
    if (due.length > 0) void this.#send(due);
    for (const attempt of this.#waiting) this.#arm(dueMs(attempt));
  }

  async #send(attempts: readonly Attempt[]): Promise<void> {
    const now = this.#options.clock.now();
    const requests = attempts.map((attempt): HeartbeatRequest => {
      this.#waiting.delete(attempt);
      attempt.unsent = false;
      attempt.beatenMs = now;
      return { token: attempt.token, ...(attempt.progress === undefined ? {} : { progress: attempt.progress }) };
    });
    try {
      const responses = await this.#options.transport.heartbeat(requests);
      for (const [i, attempt] of attempts.entries()) this.#options.onResponse(attempt, responses[i] ?? { status: 'ok' });
    } catch (thrown) {
      // The next one comes soon; the poll tells whether the server is there.
      this.#options.log(`heartbeats could not be sent: ${toPerdureError(thrown).message}`);
    }
  }
}

const dueMs = ({ beatenMs, task: { heartbeatTimeoutMs } }: Attempt): number =>
  beatenMs + (heartbeatTimeoutMs === undefined ? INTERVAL_DEFAULT_MS : Math.min(INTERVAL_MAX_MS, heartbeatTimeoutMs / INTERVALS_PER_TIMEOUT));
