/** What each workload must return, for whichever system runs it: the generator compares every answer with it. */
export const STEPS = 5;

/** 200 bytes, as an activity's result. */
export const stepResult = (order: string, index: number): string => `${order}/${index}`.padEnd(200, '.');

/** The workflow's own result: drawn from each step's, so that a lost or repeated one shows. */
export const digestOf = (results: readonly string[]): string => results.map((result) => result.replace(/\.+$/, '')).join(',');

export const fiveStepResult = (order: string): string => digestOf(Array.from({ length: STEPS }, (_, index) => stepResult(order, index)));
