/** What a suite asks of an adapter: a fresh store, and the same one as after a restart. */
export interface Made<S> {
  readonly store: S;
  /** As another process would open it. What holds for stores that keep nothing: the same store. */
  reopen(): Promise<S>;
  close(): Promise<void>;
}

export type Make<S> = () => Promise<Made<S>>;
