import type { InputOutcome } from '@perdure/contract';

/** Names a client's input, for those who wait for its outcome. */
export const outcomeKeyOf = ({ tenant, workflowId, inputId }: { readonly tenant: string; readonly workflowId: string; readonly inputId: string }): string => `${tenant}\u0000${workflowId}\u0000${inputId}`;

/** What a commit of history has brought. Sent after it, so that it is true; lost now and then, so nobody may rest on it (design §1). */
export interface Hints {
  readonly decided: readonly { readonly key: string; readonly outcome: InputOutcome }[];
  /** `runKeyOf` of runs that closed or continued. */
  readonly closed: readonly string[];
}
