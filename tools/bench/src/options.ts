import { parseArgs } from 'node:util';

export const WORKLOADS = ['limits', 'five-step', 'signal', 'parked', 'resume', 'fan-out', 'timers', 'shards'] as const;
export type AskedSystem = 'perdure' | 'restate';
export type Workload = (typeof WORKLOADS)[number];

export interface Options {
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

  --workload NAME[,NAME]   ${WORKLOADS.join(', ')}; default all
  --concurrency N[,N]      in flight at once; default 1,16,64,256
  --seconds S              measured for each system at each concurrency; default 20
  --only SYSTEM            perdure or restate; default both, in turns
  --quick                  a pass that shows all of it works, in about a minute; its figures mean nothing
  --json FILE              records everything that was measured
  --data FOLDER            where the servers' files are while they run, on a real disk; default the system's temporary folder
`;

const SYSTEMS: readonly AskedSystem[] = ['perdure', 'restate'];

/** @throws Error that says what is wrong with the arguments */
export const parseOptions = (args: readonly string[]): Options => {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...args], options: { workload: text, concurrency: text, seconds: text, only: text, json: text, data: text, quick: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } });
  const { quick, help } = values;
  return {
    workloads: values.workload === undefined ? WORKLOADS : values.workload.split(',').map((name) => oneOf(WORKLOADS, name, '--workload')),
    concurrency: (values.concurrency ?? (quick ? '1,16' : '1,16,64,256')).split(',').map((count) => positive(count, '--concurrency')),
    seconds: positive(values.seconds ?? (quick ? '1' : '20'), '--seconds'),
    systems: values.only === undefined ? SYSTEMS : [oneOf(SYSTEMS, values.only, '--only')],
    json: values.json,
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
