import { parentPort, workerData } from 'node:worker_threads';
import { findingOf, thrownIn } from './finding.js';
import { simulate, type ShapeName } from './simulate.js';

// Stores fail all the time here; where in the code they did is in no trace.
Error.stackTraceLimit = 0;

const { from, count, shape, tail } = workerData as { readonly from: number; readonly count: number; readonly shape: ShapeName; readonly tail: number };
let seed = from;
// What nobody awaits: it ends the thread all the same, but its seed is known.
process.on('uncaughtException', (thrown) => {
  parentPort!.postMessage(thrownIn(seed, thrown));
  process.exit(1);
});
for (; seed < from + count; seed++) {
  const finding = await findingOf(seed, { run: (each) => simulate({ seed: each, shape }), tail });
  if (finding) parentPort!.postMessage(finding);
}
