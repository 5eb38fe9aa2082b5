import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { explainFindings, runCrashTest, type CrashTestOptions } from './crash/crash-test.js';
import { MeshDeployment } from './crash/mesh-deployment.js';
import { StandaloneDeployment } from './crash/standalone-deployment.js';

/** `npm run test:crash`: rounds of random programs against a real server that is killed, each round with a seed and a data folder of its own. */
const USAGE = 'usage: test:crash -- [--seed N] [--minutes M] [--programs K] [--at-once N] [--size 1..4] [--shards N] [--gap MS] [--settle SECONDS] [--mesh [--replicas N] [--components FOLDER] [--bus direct|pubsub] [--calm]]';

const readArguments = () => parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    /** The built server's main.js. */
    server: { type: 'string', default: '' },
    /** Of the first round; the next ones count up. */
    seed: { type: 'string', default: '1' },
    /** No round begins later; there is always one. */
    minutes: { type: 'string', default: '10' },
    /** Of one round. */
    programs: { type: 'string', default: '500' },
    /** Programs under way at once. */
    'at-once': { type: 'string', default: '64' },
    size: { type: 'string', default: '3' },
    shards: { type: 'string', default: '1' },
    /** The longest time between two disturbances of one lane, milliseconds. */
    gap: { type: 'string', default: '2500' },
    /** When nothing is disturbed any more, everything must have ended within so many seconds: a poisoned activity alone waits 60. */
    settle: { type: 'string', default: '150' },
    /** The mesh with real servers, instead of one server. */
    mesh: { type: 'boolean', default: false },
    /** Of each service of the mesh. */
    replicas: { type: 'string', default: '2' },
    components: { type: 'string', default: 'components/local' },
    /** Cuts the other way. */
    bus: { type: 'string' },
    /** Nothing is disturbed. */
    calm: { type: 'boolean', default: false },
  },
}).values;

const refuse = (why?: string): never => {
  if (why) console.error(why);
  console.error(USAGE);
  return process.exit(2);
};

const given = (): ReturnType<typeof readArguments> => {
  try {
    return readArguments();
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
};

const values = given();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const [first, minutes, programs, atOnce, size, shards, gap, settle] = [values.seed, values.minutes, values.programs, values['at-once'], values.size, values.shards, values.gap, values.settle].map(Number) as [number, number, number, number, number, number, number, number];
if (values.server === '' || [first, minutes, programs, atOnce, size, shards, gap, settle].some((value) => !Number.isFinite(value) || value < 0)) refuse();

const GAP_MS_MIN = 100;
const ROUND_MS_MAX = 3_600_000;

const POPULATION = { workers: 2, fragileWorkers: 1, surgical: true };
/** One way of the bus alone. */
const BUS_ENV: Readonly<Record<string, Readonly<Record<string, string>>>> = { direct: { PERDURE_BUS_PUBSUB: 'off' }, pubsub: { PERDURE_BUS_DIRECT: 'off' } };

const meshDeployment = (seed: number, folder: string): MeshDeployment =>
  new MeshDeployment({ root: process.cwd(), folder, seed, replicas: Number(values.replicas), components: resolve(values.components), env: BUS_ENV[values.bus ?? ''] ?? {}, ...(values.calm ? { lanes: {} } : {}), ...POPULATION });

const round = (seed: number, folder: string): CrashTestOptions => ({
  deployment: values.mesh ? meshDeployment(seed, folder) : new StandaloneDeployment({ main: values.server, folder, seed, shards, ...POPULATION }),
  folder,
  seed,
  programs,
  atOnce,
  size,
  crashPercent: values.calm ? 0 : 2,
  // A node that is held for longer than its lease comes back as a zombie.
  chaos: { gapMs: [Math.min(GAP_MS_MIN, gap), gap], holdMs: values.mesh ? [100, 9_000] : [100, 4_000], workerKillsMax: Infinity },
  disturbMs: ROUND_MS_MAX,
  settleMs: settle * 1_000,
  log: (text) => console.log(`seed ${seed}: ${text}`),
});

// The processes that a round has started end with this one, however it ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const endAt = performance.now() + minutes * 60_000;
let rounds = 0;
do {
  const seed = first + rounds++;
  const folder = mkdtempSync(join(tmpdir(), `perdure-crash-${seed}-`));
  const options = round(seed, folder);
  const report = await runCrashTest(options);
  console.log(`seed ${seed}: ${Object.entries(report.figures).map(([what, count]) => `${what} ${count}`).join(', ')}`);
  if (report.findings.length > 0) {
    console.error(explainFindings(report, options));
    process.exit(1);
  }
  rmSync(folder, { recursive: true });
} while (performance.now() < endAt);
console.log(`${rounds} rounds of ${programs} programs from seed ${first} on: nothing was found.`);
process.exit(0);
