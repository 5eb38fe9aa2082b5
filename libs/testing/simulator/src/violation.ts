/** What an oracle has seen. */
export interface Violation {
  /** By design §3 (`I1`…`I10`), or the section that says it. */
  readonly invariant: string;
  readonly what: string;
}
