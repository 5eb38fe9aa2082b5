import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { readArguments, USAGE, type Arguments } from './arguments.js';
import type { Finding } from './finding.js';

/** Runs many seeds on all cores. A seed that fails is printed with the invariant that broke and the end of its trace. */
async function main({ from, count, shape, tail }: Arguments): Promise<number> {
  const startedMs = performance.now();
  const threads = Math.min(availableParallelism(), count);
  const share = Math.ceil(count / threads);
  const findings = (await Promise.all(Array.from({ length: threads }, (_, index) => runShare({ from: from + index * share, count: Math.min(share, count - index * share), shape, tail })))).flat();
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(`${count} seeds from ${from}: ${findings.length} failed, ${(count / seconds).toFixed(0)} seeds/s on ${threads} threads`);
  return findings.length === 0 ? 0 : 1;
}

function runShare(share: Arguments): Promise<Finding[]> {
  const findings: Finding[] = [];
  const worker = new Worker(new URL('./seed-worker.js', import.meta.url), { workerData: share });
  worker.on('message', (finding: Finding) => {
    findings.push(finding);
    console.log(`\nseed ${finding.seed} failed; again with: npm run test:sim -- --from ${finding.seed} --seeds 1${share.shape === 'mesh' ? '' : ` --shape ${share.shape}`}\n${finding.violations.map(({ invariant, what }) => `  ${invariant}: ${what}`).join('\n')}\n${finding.tail.join('\n')}`);
  });
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', (code) => {
      if (code !== 0 && findings.length === 0) reject(new Error(`the thread of seeds ${share.from} to ${share.from + share.count - 1} ended with ${code}`));
      else resolve(findings);
    });
  });
}

const given = (): Arguments | undefined => {
  try {
    return readArguments(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return process.exit(2);
  }
};

const args = given();
if (args) process.exitCode = await main(args);
else console.log(USAGE);
