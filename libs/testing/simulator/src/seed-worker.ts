import { parentPort, workerData } from 'node:worker_threads';
import { simulate } from './simulate.js';
import type { Violation } from './violation.js';

/** What a failed seed leaves. */
export interface Finding {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly tail: readonly string[];
}

const { from, count, tail } = workerData as { readonly from: number; readonly count: number; readonly tail: number };
for (let seed = from; seed < from + count; seed++) {
  const { violations, trace } = await simulate({ seed });
  if (violations.length > 0) parentPort!.postMessage({ seed, violations, tail: trace.slice(-tail) } satisfies Finding);
}
