import { toTraceparent, type TraceContext } from '@perdure/contract';
import { isOwnRoot, RequestRoots } from '@perdure/telemetry';
import type { HintSender } from './hint-sender.js';

/** Requests are with the instances of ingestion, which are told by hints for which run they were. */
export class HintedRoots extends RequestRoots {
  readonly #hints: Pick<HintSender, 'joined'>;

  constructor(hints: Pick<HintSender, 'joined'>) {
    super();
    this.#hints = hints;
  }

  override join(from: TraceContext, root: TraceContext): boolean {
    if (!isOwnRoot(from)) return false;
    this.#hints.joined({ from: toTraceparent(from), root: toTraceparent(root) });
    return true;
  }
}
