import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readArguments, USAGE, type Arguments } from './arguments.js';
import { explainFindings, runCrashTest, type CrashTestOptions } from './crash/crash-test.js';
import { MeshDeployment } from './crash/mesh-deployment.js';
import { StandaloneDeployment } from './crash/standalone-deployment.js';

// `npm run test:crash`: rounds of random programs against a real server that is killed, each round with a seed and a data folder of its own.

const read = (): Arguments => {
  try {
    const given = readArguments(process.argv.slice(2));
    if (given) return given;
    console.log(USAGE);
    return process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return process.exit(2);
  }
};

const given = read();

const GAP_MS_MIN = 100;
const ROUND_MS_MAX = 3_600_000;

const POPULATION = { workers: 2, fragileWorkers: 1, surgical: true };

const meshDeployment = (seed: number, folder: string): MeshDeployment =>
  new MeshDeployment({ root: process.cwd(), folder, seed, replicas: given.replicas, components: resolve(given.components), env: given.busEnv, ...(given.calm ? { lanes: {} } : {}), ...POPULATION });

const round = (seed: number, folder: string): CrashTestOptions => ({
  deployment: given.mesh ? meshDeployment(seed, folder) : new StandaloneDeployment({ main: given.server, folder, seed, shards: given.shards, ...POPULATION }),
  folder,
  seed,
  programs: given.programs,
  atOnce: given.atOnce,
  size: given.size,
  crashPercent: given.calm ? 0 : 2,
  // A node that is held for longer than its lease comes back as a zombie.
  chaos: { gapMs: [Math.min(GAP_MS_MIN, given.gapMs), given.gapMs], holdMs: given.mesh ? [100, 9_000] : [100, 4_000], workerKillsMax: Infinity },
  disturbMs: ROUND_MS_MAX,
  settleMs: given.settleMs,
  log: (text) => console.log(`seed ${seed}: ${text}`),
});

// The processes that a round has started end with this one, however it ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** A round that does not come to its end is found again by its seed, as one that finds something is. */
const play = async (options: CrashTestOptions): ReturnType<typeof runCrashTest> => {
  try {
    return await runCrashTest(options);
  } catch (error) {
    console.error(`seed ${options.seed}: the round broke off; what there is of it is in ${options.folder}`, error);
    return process.exit(1);
  }
};

const endAt = performance.now() + given.minutes * 60_000;
let rounds = 0;
do {
  const seed = given.seed + rounds++;
  const folder = mkdtempSync(join(tmpdir(), `perdure-crash-${seed}-`));
  const options = round(seed, folder);
  const report = await play(options);
  console.log(`seed ${seed}: ${Object.entries(report.figures).map(([what, count]) => `${what} ${count}`).join(', ')}`);
  if (report.findings.length > 0) {
    console.error(explainFindings(report, options));
    process.exit(1);
  }
  rmSync(folder, { recursive: true });
} while (performance.now() < endAt);
console.log(`${rounds} rounds of ${given.programs} programs from seed ${given.seed} on: nothing was found.`);
process.exit(0);
