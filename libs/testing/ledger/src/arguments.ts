import { parseArgs } from 'node:util';

export const USAGE = 'usage: test:crash -- [--seed N] [--minutes M] [--programs K] [--at-once N] [--size 1..4] [--shards N] [--gap MS] [--settle SECONDS] [--mesh [--replicas N] [--components FOLDER] [--bus direct|pubsub] [--calm]]';

const parse = (args: readonly string[]) => parseArgs({
  args: [...args],
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

/** As the server has it. */
const SHARDS_MAX = 64;
/** The bus's other way is off. */
const BUS_ENV = { direct: { PERDURE_BUS_PUBSUB: 'off' }, pubsub: { PERDURE_BUS_DIRECT: 'off' } } as const;

export interface Arguments {
  readonly server: string;
  readonly seed: number;
  readonly minutes: number;
  readonly programs: number;
  readonly atOnce: number;
  readonly size: number;
  readonly shards: number;
  readonly gapMs: number;
  readonly settleMs: number;
  readonly mesh: boolean;
  readonly replicas: number;
  readonly components: string;
  readonly busEnv: Readonly<Record<string, string>>;
  readonly calm: boolean;
}

/** Undefined when only help is asked for. @throws Error that says what is wrong with them: what cannot run must not be waited for */
export function readArguments(args: readonly string[]): Arguments | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  if (values.server === '') throw new Error('--server FILE: the built server');
  const bus = values.bus;
  if (bus !== undefined && bus !== 'direct' && bus !== 'pubsub') throw new Error(`--bus ${bus}: there are direct, pubsub`);
  const whole = (name: 'seed' | 'programs' | 'at-once' | 'size' | 'shards' | 'replicas', min: number, max = Number.MAX_SAFE_INTEGER): number => inRange(name, values[name], { min, max, isWhole: true });
  const some = (name: 'minutes' | 'gap' | 'settle'): number => inRange(name, values[name], { min: 0, max: Number.MAX_SAFE_INTEGER, isWhole: false });
  return {
    server: values.server, seed: whole('seed', 0), minutes: some('minutes'), programs: whole('programs', 1), atOnce: whole('at-once', 1), size: whole('size', 1, 4), shards: whole('shards', 1, SHARDS_MAX),
    gapMs: some('gap'), settleMs: some('settle') * 1_000, mesh: values.mesh, replicas: whole('replicas', 1), components: values.components, busEnv: bus === undefined ? {} : BUS_ENV[bus], calm: values.calm,
  };
}

const inRange = (name: string, text: string, { min, max, isWhole }: { readonly min: number; readonly max: number; readonly isWhole: boolean }): number => {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(value >= min && value <= max) || (isWhole && !Number.isSafeInteger(value))) throw new Error(`--${name} ${text}: a ${isWhole ? 'whole ' : ''}number, ${min} or more${max < Number.MAX_SAFE_INTEGER ? `, ${max} at most` : ''}`);
  return value;
};
