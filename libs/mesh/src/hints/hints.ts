import type { InputOutcome } from '@perdure/contract';

/** What a commit of history has brought. Sent after it, so that it is true; lost now and then, so nobody may rest on it (design §1). */
export interface Hints {
  /** By `inputKeyOf`. */
  readonly decided: readonly { readonly key: string; readonly outcome: InputOutcome }[];
  /** `runKeyOf` of runs that closed or continued. */
  readonly closed: readonly string[];
  /** Requests that began a trace by themselves, and the root of the run that they turned out to be for; traceparents. Absent where traces are off. */
  readonly joined?: readonly JoinedRequest[];
}

export interface JoinedRequest {
  readonly from: string;
  readonly root: string;
}
