import type { Clock } from '@perdure/clock';
import { isPerdureError } from '@perdure/contract';
import { backoffMs, serviceOf, sliceIndexOf, type SliceName } from '@perdure/delivery';
import { MESH_LIMITS } from '../mesh-limits.js';
import { fromProblem } from '../node/from-problem.js';

/** What is needed of a sidecar: an answer with its status, whatever it is; it throws when there was none. */
export interface Invoker {
  invoke(appId: string, method: string, options: { readonly body: unknown; readonly timeoutMs: number; readonly signal?: AbortSignal | undefined }): Promise<{ readonly status: number; readonly text: string }>;
}

export interface SliceAsksOptions {
  readonly invoker: Invoker;
  readonly clock: Clock;
  readonly random: () => number;
}

export interface Ask {
  /** One of the service's operations on a slice. */
  readonly operation: string;
  readonly body: unknown;
  readonly signal?: AbortSignal | undefined;
  /** For an answer. Default `askTimeoutMs`. */
  readonly timeoutMs?: number;
}

/** Asks a slice's owner, wherever it is, by Dapr service invocation. Only for what may be asked twice. */
export class SliceAsks {
  readonly #options: SliceAsksOptions;

  constructor(options: SliceAsksOptions) {
    this.#options = options;
  }

  /** Asks again while nobody has the slice. @throws PerdureError as the owner answered it, or `unavailable` */
  async ask<T>(slice: SliceName, { operation, body, signal, timeoutMs = MESH_LIMITS.askTimeoutMs }: Ask): Promise<T> {
    const { clock } = this.#options;
    const untilMs = clock.now() + timeoutMs;
    for (let tries = 0; ; tries++) {
      try {
        return (await this.#once(slice, { operation, body, signal, timeoutMs: Math.max(1, untilMs - clock.now()) })) as T;
      } catch (thrown) {
        const isOver = signal?.aborted || clock.now() >= untilMs;
        if (isOver || !isPerdureError(thrown) || !NOBODY.has(thrown.code)) throw thrown;
      }
      await this.#pause(tries);
    }
  }

  async #once(slice: SliceName, { operation, body, signal, timeoutMs }: Required<Pick<Ask, 'operation' | 'timeoutMs'>> & Ask): Promise<unknown> {
    const { status, text } = await this.#options.invoker.invoke(serviceOf(slice), `internal/slices/${sliceIndexOf(slice)}/${operation}`, { body, timeoutMs, signal });
    if (status >= 400) throw fromProblem(status, text);
    return text === '' ? undefined : JSON.parse(text);
  }

  #pause(tries: number): Promise<void> {
    const { clock, random } = this.#options;
    const pauseMs = backoffMs(tries, { firstMs: MESH_LIMITS.askAgainAfterMs, maxMs: MESH_LIMITS.askAgainAfterMsMax, random });
    return new Promise((resolve) => clock.at(clock.now() + pauseMs, resolve));
  }
}

/** Answers that say no more than that another time is better. */
const NOBODY: ReadonlySet<string> = new Set(['not-owner', 'unavailable', 'draining']);

