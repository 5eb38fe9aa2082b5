/** What jest's report counts; absent where jest wrote none. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** A run that fails without a failed test (nothing to run, a worker that died, no report) is one failure too. */
export function ringResult(counts: Counts | undefined, exitCode: number | null): Counts {
  const { passed, failed } = counts ?? { passed: 0, failed: 0 };
  return failed === 0 && (exitCode !== 0 || passed === 0) ? { passed, failed: 1 } : { passed, failed };
}
