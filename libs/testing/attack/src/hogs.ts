import { bundle } from '@perdure/bundler';
import { Client } from '@perdure/sdk/client';
import { Worker } from '@perdure/sdk/node';
import { setTimeout as sleep } from 'node:timers/promises';
import { AttackedServer, until } from './attacked-server.js';

/** What each does to get at the server's memory, its time or its stack. */
const HOGS: Readonly<Record<string, string>> = {
  strings: "const a: string[] = []; for (;;) a.push('x'.repeat(1 << 20) + a.length);",
  typedArrays: 'const a: Uint8Array[] = []; for (;;) a.push(new Uint8Array(65_536).fill(1));',
  oneArray: 'const a: number[] = []; for (;;) a.push(a.length);',
  closures: 'const a: (() => number)[] = []; for (let i = 0; ; i++) a.push(() => i + a.length);',
  maps: 'const m = new Map<number, object>(); for (let i = 0; ; i++) m.set(i, { i });',
  promises: 'for (let p: Promise<unknown> = Promise.resolve(); ; ) p = p.then(() => p);',
  symbols: 'const a: symbol[] = []; for (;;) a.push(Symbol(String(a.length)));',
  deepJson: "JSON.parse('['.repeat(5_000_000));",
  deepObject: 'let a: object = {}; for (;;) a = { a };',
  recursion: 'const f = (n: number): number => f(n + 1) + 1; f(0);',
  regex: "/^(a+)+$/.test('a'.repeat(40) + 'b');",
  loop: 'for (;;);',
  nativeLoop: "new Array(2 ** 32 - 1).join('');",
};
const CATCHES = ['strings', 'typedArrays', 'closures', 'maps', 'deepJson', 'recursion', 'regex', 'loop'];

const functionOf = ([name, code]: readonly [string, string]): string => `export async function ${name}(): Promise<void> { ${code} }`;
/** Should a limit ever be seen, an activity tells. */
const catcherOf = (name: string): string => `export async function ${name}Caught(): Promise<void> { try { ${HOGS[name]} } catch (error) { await saw(String(error)); } finally { await saw('${name}: finally'); } await saw('${name}: went on'); }`;

const SOURCE = `
import { activities } from '@perdure/sdk/workflow';
const { saw, step } = activities<{ saw(what: string): Promise<void>; step(n: number): Promise<number> }>();
export async function neighbour(): Promise<number> { let sum = 0; for (let i = 0; i < 5; i++) sum += await step(i); return sum; }
${Object.entries(HOGS).map(functionOf).join('\n')}
${CATCHES.map(catcherOf).join('\n')}
`;

export const HOG_KINDS: readonly string[] = [...Object.keys(HOGS), ...CATCHES.map((name) => `${name}Caught`)];

export interface HogReport {
  readonly runs: number;
  /** What is not as it should be. */
  readonly complaints: readonly string[];
  readonly grownMib: number;
  readonly byLimit: Readonly<Record<string, number>>;
}

const AT_ONCE = 8;
/** Memory that nobody holds is given back when the collector gets to it. */
const SETTLE_MS = 60_000;
const GROWN_MAX_MIB = 50;

/** So many hogs on a real server, with neighbours beside them. */
export const attackWithHogs = async ({ main, runs }: { readonly main: string; readonly runs: number }): Promise<HogReport> => {
  const server = await AttackedServer.start({ main, env: { PERDURE_SHARDS: '1', PERDURE_LOG_LEVEL: 'error' } });
  const seen: string[] = [];
  const worker = new Worker({ url: server.url, activities: { saw: (what: string) => void seen.push(what), step: (n: number) => n }, log: () => undefined });
  const working = worker.run();
  const client = new Client({ url: server.url, retryFor: '5 minutes' });
  try {
    const made = await bundle({ source: SOURCE, resolveDir: import.meta.dirname });
    await client.deploy({ name: 'hogs', code: made.code, sourceMap: made.sourceMap });
    const herd = new Herd(client);
    await herd.drive('warm', HOG_KINDS.length);
    const before = await settledRss(server, herd, 0);
    await herd.drive('hog', runs);
    const grownMib = (await settledRss(server, herd, before + GROWN_MAX_MIB)) - before;
    const complaints = [...herd.complaints, ...seen.map((what) => `a hog saw its limit: ${what}`)];
    if (grownMib >= GROWN_MAX_MIB) complaints.push(`the server has ${Math.round(grownMib)} MiB more than before, ${GROWN_MAX_MIB} are allowed`);
    return { runs, complaints, grownMib, byLimit: herd.byLimit };
  } finally {
    await worker.shutdown();
    await working;
    await client.close();
    await server.dispose();
  }
};

/** The server's memory when it has come to rest: at most `enough`, or what it is after a minute with a little to do. */
const settledRss = async (server: AttackedServer, herd: Herd, enough: number): Promise<number> => {
  const untilMs = performance.now() + (enough === 0 ? SETTLE_MS / 6 : SETTLE_MS);
  let least = Infinity;
  for (let round = 0; ; round++) {
    await herd.neighbours(`rest-${enough === 0 ? 'before' : 'after'}-${round}`, 5);
    least = Math.min(least, server.rssMib);
    if (least < enough || performance.now() > untilMs) return least;
    await sleep(REST_MS);
  }
};
const REST_MS = 500;

/** Named by a string, a workflow's input has no type. */
const NO_INPUT = { input: undefined as never };

class Herd {
  readonly complaints: string[] = [];
  readonly byLimit: Record<string, number> = {};
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async drive(name: string, count: number): Promise<void> {
    for (let first = 0; first < count; first += AT_ONCE) {
      const numbers = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, index) => first + index);
      await Promise.all([...numbers.map((number) => this.#one(`${name}-${number}`, HOG_KINDS[number % HOG_KINDS.length]!)), this.neighbours(`${name}-beside-${first}`, 1)]);
    }
  }

  async neighbours(name: string, count: number): Promise<void> {
    const sums = await Promise.all(Array.from({ length: count }, (_, index) => this.#client.execute('neighbour', { workflowId: `${name}-${index}`, ...NO_INPUT })));
    for (const sum of sums) if (sum !== 10) this.complaints.push(`neighbour ${name} came to ${String(sum)}`);
  }

  async #one(workflowId: string, kind: string): Promise<void> {
    const run = await this.#client.start(kind, { workflowId, ...NO_INPUT });
    let state = await run.describe();
    await until(async () => (state = await run.describe()).status !== 'running');
    const { status, suspended } = state;
    if (status !== 'suspended' || suspended?.kind !== 'voided') {
      this.complaints.push(`${kind} ${workflowId} is ${status}: ${JSON.stringify(suspended)}`);
      return;
    }
    const { limit, message } = suspended;
    if (message.includes('host')) this.complaints.push(`${kind} ${workflowId} was stopped by the machine, not by a limit: ${message}`);
    this.byLimit[limit] = (this.byLimit[limit] ?? 0) + 1;
  }
}
