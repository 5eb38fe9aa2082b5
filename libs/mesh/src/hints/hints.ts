import { inputKeyOf, type InputOutcome, type InputRef } from '@perdure/contract';

/** What a commit of history has brought. Sent after it, so that it is true; lost now and then, so nobody may rest on it (design §1). */
export interface Hints {
  /** By `decidedKeyOf`. */
  readonly decided: readonly { readonly key: string; readonly outcome: InputOutcome }[];
  /** `runKeyOf` of runs that closed or continued. */
  readonly closed: readonly string[];
  /** Requests that began a trace by themselves, and the root of the run that they turned out to be for; traceparents. Absent where traces are off. */
  readonly joined?: readonly JoinedRequest[];
}

/** Under one id several may bring different things: whoever waits hears of what came of its own. `content`: as `contentOf` gives it. */
export const decidedKeyOf = (ref: InputRef, content: string): string => `${inputKeyOf(ref)} ${content}`;

export interface JoinedRequest {
  readonly from: string;
  readonly root: string;
}
