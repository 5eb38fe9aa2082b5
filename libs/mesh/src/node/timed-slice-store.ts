import { SliceStore, type SliceCommit, type SliceHead } from '@perdure/delivery';

/** A store whose commits are timed, milliseconds; those that fail are not told. */
export class TimedSliceStore<Rows> extends SliceStore<Rows> {
  readonly #inner: SliceStore<Rows>;
  readonly #committed: (tookMs: number) => void;

  constructor(inner: SliceStore<Rows>, committed: (tookMs: number) => void) {
    super();
    this.#inner = inner;
    this.#committed = committed;
  }

  override async commit(commit: SliceCommit<Rows>): Promise<void> {
    const beganMs = performance.now();
    await this.#inner.commit(commit);
    this.#committed(performance.now() - beganMs);
  }

  override head(): Promise<SliceHead> {
    return this.#inner.head();
  }
  override epoch(): Promise<number> {
    return this.#inner.epoch();
  }
  override takeOver(from: number): Promise<void> {
    return this.#inner.takeOver(from);
  }
  override countTry(epoch: number, work: string): Promise<number> {
    return this.#inner.countTry(epoch, work);
  }
  override survived(epoch: number, work: string): Promise<void> {
    return this.#inner.survived(epoch, work);
  }
  override release(epoch: number): Promise<void> {
    return this.#inner.release(epoch);
  }
}
