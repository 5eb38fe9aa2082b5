import { PerdureError } from '@perdure/contract';
import { sliceIndexOf, type SliceMachine, type SliceName, type SliceOwner } from '@perdure/delivery';
import { MESH_LIMITS } from '../mesh-limits.js';
import type { NodeCalls } from './node-calls.js';
import type { SliceHost } from './slice-host.js';

export interface OperationCall {
  readonly body: unknown;
  /** Whoever asked has gone. */
  readonly signal: AbortSignal;
}

/** What may be asked of a slice's owner, by name. */
export type Operations<Rows, M extends SliceMachine<Rows>> = Readonly<Record<string, (owner: SliceOwner<Rows, M>, call: OperationCall) => Promise<unknown>>>;

export interface SliceOperationsOptions<Rows, M extends SliceMachine<Rows>> {
  readonly selfId: string;
  readonly host: SliceHost<Rows, M>;
  readonly operations: Operations<Rows, M>;
  readonly calls: NodeCalls;
}

/** Answers for the slices of a service: itself where this node has them, else by way of the node that should. */
export class SliceOperations<Rows, M extends SliceMachine<Rows>> {
  readonly #options: SliceOperationsOptions<Rows, M>;

  constructor(options: SliceOperationsOptions<Rows, M>) {
    this.#options = options;
  }

  /** @throws PerdureError `not-owner` when nobody has the slice now */
  async run(slice: SliceName, operation: string, call: OperationCall & { readonly isForwarded: boolean }): Promise<unknown> {
    const { selfId, host, operations, calls } = this.#options;
    const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
    if (!run) throw new PerdureError('unknown-route', `There is no operation "${operation}" on ${slice}.`);
    const owner = host.owner(slice);
    if (owner) return run(owner, call);
    const node = host.nodeOf(slice);
    if (call.isForwarded || !node || node.id === selfId) throw new PerdureError('not-owner', `Nobody here has ${slice} now.`, { retryable: true });
    return calls.post(node.address, `internal/slices/${sliceIndexOf(slice)}/${operation}`, { body: call.body, signal: call.signal, timeoutMs: HELD_MS_MAX });
  }
}

/** The longest that a forwarded request may be held open: a worker's poll, and some. */
const HELD_MS_MAX = 60_000 + MESH_LIMITS.forwardTimeoutMs;
