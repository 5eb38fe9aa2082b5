import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { SHAPES, type ShapeName } from './simulate.js';
import type { Finding } from './seed-worker.js';

const USAGE = 'usage: npm run test:sim -- [--from SEED] [--seeds COUNT] [--shape mesh|embedded] [--tail LINES]';

/** Runs many seeds on all cores. A seed that fails is printed with the invariant that broke and the end of its trace. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { from: { type: 'string', default: '1' }, seeds: { type: 'string', default: '10000' }, shape: { type: 'string', default: 'mesh' }, tail: { type: 'string', default: '60' }, help: { type: 'boolean', default: false } } });
  const [from, count, tail] = [values.from, values.seeds, values.tail].map(Number) as [number, number, number];
  const shape = SHAPES.find((each) => each === values.shape);
  if (values.help || !shape || ![from, count, tail].every(Number.isSafeInteger)) {
    console.error(USAGE);
    return 2;
  }
  const startedMs = performance.now();
  const threads = Math.min(availableParallelism(), count);
  const share = Math.ceil(count / threads);
  const findings = (await Promise.all(Array.from({ length: threads }, (_, index) => runShare({ from: from + index * share, count: Math.min(share, count - index * share), shape, tail })))).flat();
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(`${count} seeds from ${from}: ${findings.length} failed, ${(count / seconds).toFixed(0)} seeds/s on ${threads} threads`);
  return findings.length === 0 ? 0 : 1;
}

function runShare(share: { readonly from: number; readonly count: number; readonly shape: ShapeName; readonly tail: number }): Promise<Finding[]> {
  const findings: Finding[] = [];
  const worker = new Worker(new URL('./seed-worker.js', import.meta.url), { workerData: share });
  worker.on('message', (finding: Finding) => {
    findings.push(finding);
    console.log(`\nseed ${finding.seed} failed; again with: npm run test:sim -- --from ${finding.seed} --seeds 1${share.shape === 'mesh' ? '' : ` --shape ${share.shape}`}\n${finding.violations.map(({ invariant, what }) => `  ${invariant}: ${what}`).join('\n')}\n${finding.tail.join('\n')}`);
  });
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', () => resolve(findings));
  });
}

process.exitCode = await main();
