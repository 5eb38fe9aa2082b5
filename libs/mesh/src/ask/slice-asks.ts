import type { Clock } from '@perdure/clock';
import { isPerdureError, PerdureError } from '@perdure/contract';
import type { DaprSidecar } from '@perdure/dapr';
import { backoffMs, serviceOf, sliceIndexOf, type SliceName } from '@perdure/delivery';
import { MESH_LIMITS } from '../mesh-limits.js';
import { fromProblem } from '../node/from-problem.js';
import type { CallOptions, NodeCalls } from '../node/node-calls.js';
import type { Placement } from '../node/placement.js';

export interface SliceAsksOptions {
  readonly sidecar: Pick<DaprSidecar, 'invoke'>;
  readonly calls: Pick<NodeCalls, 'post'>;
  readonly placement: Pick<Placement, 'nodeOf'>;
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

/**
 * Asks a slice's owner, wherever it is. Only for what may be asked twice.
 *
 * The node that should own the slice is asked first, at its own address: a worker's poll and answer are the most frequent of all calls, and
 * two sidecars cost more than the rest of them (ADR 0015). Where it does not answer for the slice, and from then on, the question goes to the
 * service by Dapr service invocation, which finds a node by other means.
 */
export class SliceAsks {
  readonly #options: SliceAsksOptions;

  constructor(options: SliceAsksOptions) {
    this.#options = options;
  }

  /** Asks again while nobody has the slice. @throws PerdureError as the owner answered it, or `unavailable` */
  async ask<T>(slice: SliceName, { operation, body, signal, timeoutMs = MESH_LIMITS.askTimeoutMs }: Ask): Promise<T> {
    const { clock, placement } = this.#options;
    const path = `internal/slices/${sliceIndexOf(slice)}/${operation}`;
    const untilMs = clock.now() + timeoutMs;
    let node = placement.nodeOf(slice);
    for (let tries = 0; ; ) {
      try {
        const options = { body, timeoutMs: Math.max(1, untilMs - clock.now()), signal };
        const answer = await (node ? this.#options.calls.post(node.address, path, options) : this.#invoke(slice, path, options));
        // Every operation answers something: a sidecar hands on an answer that broke off before its body as a success without one.
        if (answer === undefined) throw new PerdureError('unavailable', `The answer of ${slice} was lost on the way.`);
        return answer as T;
      } catch (thrown) {
        const isOver = signal?.aborted || clock.now() >= untilMs;
        if (isOver || !isPerdureError(thrown) || !NOBODY.has(thrown.code)) throw thrown;
      }
      if (node) node = undefined;
      else await this.#pause(tries++);
    }
  }

  async #invoke(slice: SliceName, method: string, { body, timeoutMs, signal }: CallOptions & { readonly body: unknown }): Promise<unknown> {
    const { status, text } = await this.#options.sidecar.invoke({ appId: serviceOf(slice), method }, body, { timeoutMs, ...(signal ? { signal } : {}) });
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

