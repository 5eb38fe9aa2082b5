import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

export const WORKLOADS = ['limits', 'five-step', 'signal', 'parked', 'resume', 'fan-out', 'timers', 'shards'] as const;
/** Those of one run, which are measured in turns: the standalone server beside its peer, or the mesh beside its own. */
const SYSTEMS = { standalone: ['perdure', 'restate'], mesh: ['mesh', 'temporal', 'dbos'] } as const;
export type AskedSystem = (typeof SYSTEMS)[keyof typeof SYSTEMS][number];
export type Workload = (typeof WORKLOADS)[number];

export interface Options {
  /** The five-step workload on the mesh and its peers, in place of the standalone server's workloads. */
  readonly mesh: boolean;
  readonly workloads: readonly Workload[];
  readonly concurrency: readonly number[];
  readonly seconds: number;
  readonly systems: readonly AskedSystem[];
  readonly json: string | undefined;
  readonly quick: boolean;
  readonly help: boolean;
  /** Where the servers keep their files while they run. */
  readonly data: string | undefined;
}

export const USAGE = `npm run bench -- [options]

  --mesh                   the five-step workload on the mesh, on Temporal's development server and on DBOS, in place of all that follows
  --workload NAME[,NAME]   ${WORKLOADS.join(', ')}; default all
  --concurrency N[,N]      in flight at once; default 1,16,64,256; with --mesh 1,16,64
  --seconds S              measured for each system at each concurrency; default 20
  --only SYSTEM            perdure or restate, with --mesh mesh, temporal or dbos; default all of them, in turns
  --quick                  a pass that shows all of it works, in about a minute; its figures mean nothing
  --json FILE              records everything that was measured
  --data FOLDER            where the servers' files are while they run, on a real disk; default the system's temporary folder
`;

/** @throws Error that says what is wrong with the arguments */
export const parseOptions = (args: readonly string[]): Options => {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...args], options: { workload: text, concurrency: text, seconds: text, only: text, json: text, data: text, mesh: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } });
  const { mesh, quick, help } = values;
  if (mesh && values.workload !== undefined) throw new Error('--mesh has one workload: leave --workload out');
  const systems: readonly AskedSystem[] = SYSTEMS[mesh ? 'mesh' : 'standalone'];
  return {
    mesh,
    workloads: values.workload === undefined ? WORKLOADS : values.workload.split(',').map((name) => oneOf(WORKLOADS, name, '--workload')),
    concurrency: (values.concurrency ?? (quick ? '1,16' : mesh ? '1,16,64' : '1,16,64,256')).split(',').map((count) => whole(count, '--concurrency')),
    seconds: positive(values.seconds ?? (quick ? '1' : '20'), '--seconds'),
    systems: values.only === undefined ? systems : [oneOf(systems, values.only, '--only')],
    json: values.json === undefined ? undefined : writable(values.json, '--json'),
    data: values.data,
    quick,
    help,
  };
};

const oneOf = <T extends string>(known: readonly T[], name: string, option: string): T => {
  const found = known.find((each) => each === name);
  if (found === undefined) throw new Error(`${option} ${name}: there are ${known.join(', ')}`);
  return found;
};

const positive = (text: string, option: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${option} ${text}: a number above 0`);
  return value;
};

const whole = (text: string, option: string): number => {
  const value = positive(text, option);
  if (!Number.isSafeInteger(value)) throw new Error(`${option} ${text}: a whole number`);
  return value;
};

/** Told now, and not when all has been measured. */
const writable = (file: string, option: string): string => {
  try {
    accessSync(dirname(file), constants.W_OK);
    return file;
  } catch {
    throw new Error(`${option} ${file}: ${dirname(file)} is no folder that can be written`);
  }
};
