import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Children } from './children.js';
import { runFiveStep } from './five-step.js';
import { survivesKill } from './kill-check.js';
import { LoadGenerator } from './load-generator.js';
import { parseOptions, USAGE, type Options } from './options.js';
import { reportOf, type Row } from './report.js';
import { PerdureSystem } from './systems/perdure.js';
import { RestateSystem } from './systems/restate.js';
import type { System } from './systems/system.js';

const TMPFS = 0x01021994;

const say = (text: string): void => console.error(text);

/** @throws Error when the folder's disk is memory: an fsync there costs nothing and keeps nothing */
const makeFolder = (parent: string): string => {
  if (statfsSync(parent).type === TMPFS) throw new Error(`${parent} is in memory: give a folder on a disk with --data`);
  const folder = mkdtempSync(join(parent, 'perdure-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const startSystems = async (options: Options, children: Children): Promise<System[]> => {
  const folder = makeFolder(options.data ?? tmpdir());
  const systems = options.systems.map((name) => {
    const given = { folder: join(folder, name), log: say };
    return name === 'perdure' ? new PerdureSystem(children, given) : new RestateSystem(children, given);
  });
  for (const system of systems) await system.start();
  return systems;
};

const run = async (options: Options): Promise<void> => {
  const children = new Children();
  const systems = await startSystems(options, children);
  const generator = await LoadGenerator.start(children);
  const acknowledged = new Map<System, string[]>(systems.map((system) => [system, []]));
  const rows: Row[] = [];
  for (const concurrency of options.concurrency) {
    say(`five-step, ${concurrency} in flight …`);
    const onAcknowledged = (system: System, ids: readonly string[]): void => ids.forEach((id) => acknowledged.get(system)!.push(id));
    const measured = await runFiveStep({ systems, generator, concurrency, seconds: options.seconds, onAcknowledged });
    for (const [system, each] of measured) rows.push({ workload: 'five-step', concurrency, system: system.title, measured: each });
  }
  console.log(reportOf(rows));
  for (const system of systems) console.log(await survivesKill(generator, system, acknowledged.get(system)!));
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ node: process.version, cpus: cpus().map(({ model }) => model), at: new Date().toISOString(), rows }, undefined, 2)}\n`);
  for (const system of systems) await system.stop();
};

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else await run(options);
  process.exit(0);
} catch (error) {
  say(`bench: ${(error as Error).message}`);
  if ((error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') || /^--/.test((error as Error).message)) say(`\n${USAGE}`);
  process.exit(1);
}
