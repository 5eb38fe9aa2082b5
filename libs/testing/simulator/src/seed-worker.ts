import { parentPort, workerData } from 'node:worker_threads';
import { simulate, type ShapeName } from './simulate.js';
import type { Violation } from './violation.js';

/** What a failed seed leaves. */
export interface Finding {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly tail: readonly string[];
}

// Stores fail all the time here; where in the code they did is in no trace.
Error.stackTraceLimit = 0;

const { from, count, shape, tail } = workerData as { readonly from: number; readonly count: number; readonly shape: ShapeName; readonly tail: number };
for (let seed = from; seed < from + count; seed++) {
  const { violations, trace } = await simulate({ seed, shape });
  if (violations.length > 0) parentPort!.postMessage({ seed, violations, tail: trace.slice(-tail) } satisfies Finding);
}
