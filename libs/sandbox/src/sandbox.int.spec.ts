import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { HOST_STACK_MB } from './limits.js';
import { Sandbox } from './sandbox.js';

const run = promisify(execFile);
const TIMEOUT_MS = 120_000;

/** Promise-based steps: each answer resolves one of them. */
const CODE = `
let seq = 0, commands = [], done; const pending = new Map();
const step = (name, input) => { const id = seq++; commands.push({ id, name, input }); return new Promise((resolve) => pending.set(id, resolve)); };
const wf = async (input) => {
  const seen = [];
  for (let i = 0; i < 4; i++) { const both = await Promise.all([step('a', { i, input }), step('b', seen.length)]); seen.push(...both); globalThis.random = Math.random(); }
  return { seen, random };
};
globalThis.__perdure = {
  activate(job) { const { start, id, result, code } = JSON.parse(job); if (start) wf(start).then((value) => { done = value; }); if (pending.has(id)) pending.get(id)(result); if (code) (0, eval)(code); },
  drain() { const text = JSON.stringify({ commands, done }); commands = []; return text; },
  manifest() { return '{"workflows":["wf"]}'; },
};`;
const JOBS = [{ start: { order: 7 } }, ...Array.from({ length: 8 }, (_, id) => ({ id, result: { v: id } }))].map((job) => JSON.stringify(job));

/** Lets plain Node read the sources: they import each other as .js. */
const HOOK = `
import { registerHooks } from 'node:module';
registerHooks({ resolve(specifier, context, next) { try { return next(specifier, context); } catch (error) { if (!specifier.endsWith('.js')) throw error; return next(specifier.slice(0, -3) + '.ts', context); } } });
const { Sandbox } = await import(${JSON.stringify(new URL('./sandbox.ts', import.meta.url).href)});
const key = new Uint8Array(32).fill(9);
`;

async function inChild<T>(program: string, ...flags: string[]): Promise<T> {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const { stdout } = await run(process.execPath, [...flags, '--no-warnings', '--conditions=@perdure/source', '--input-type=module', '-e', HOOK + program], { env, maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as T;
}

/** Each nests by another of the interpreter's functions. */
const DEEP = {
  calls: '(function f() { f() })()', getter: 'const o = { get x() { return this.x } }; o.x', toString: 'const o = { toString() { return `${this}` } }; String(o)',
  sort: 'const f = () => [2, 1].sort(f); f()', replace: "const f = () => 'a'.replace(/a/, f); f()", apply: 'const f = () => Reflect.apply(f, null, []); f()',
  construct: 'class A { constructor() { new A() } } new A()', spread: 'const o = { [Symbol.iterator]() { return [...this] } }; [...o]', async: 'const f = async () => { await f() }; f()',
  delegate: 'function* g() { yield* g() } [...g()]', proxy: 'const p = new Proxy({}, {}); Object.setPrototypeOf(p, Object.create(p)); p.x',
  parseLists: "JSON.parse('['.repeat(5e6))", parseObjects: "JSON.parse('{\"a\":'.repeat(1e6))", flat: 'let a = [1]; for (let i = 0; i < 2e5; i++) a = [a]; a.flat(Infinity)',
  join: 'let a = [1]; for (let i = 0; i < 2e5; i++) a = [a]; String(a)', paren: "(0, eval)('('.repeat(3e6))", list: "(0, eval)('['.repeat(3e6))", object: "(0, eval)('({a:'.repeat(1e6))",
  functions: "(0, eval)('function f(){'.repeat(5e5))", unary: "(0, eval)('!'.repeat(3e6))", power: "(0, eval)('a**'.repeat(2e6))", awaiting: "(0, eval)('async()=>{' + 'await '.repeat(2e6))",
  template: "(0, eval)('`${'.repeat(1e6))", blocks: "(0, eval)('{'.repeat(3e6))", ifs: "(0, eval)('if(1)'.repeat(2e6))", arrows: "(0, eval)('()=>'.repeat(2e6))", lookahead: "new RegExp('(?='.repeat(2e6))",
};

/** In a worker thread, whose stack's size can be told: what ended each. */
const NESTING = `
import { parentPort, workerData } from 'node:worker_threads';
${HOOK}
const sandbox = await Sandbox.create({ snapshotKey: key, limits: { activationMs: 20_000 } });
sandbox.loadBundle({ hash: 'b', code: workerData.CODE });
parentPort.postMessage(Object.fromEntries(Object.entries(workerData.DEEP).map(([name, code]) => {
  const realm = sandbox.openRealm('b');
  const { output, message } = realm.activate(JSON.stringify({ code }));
  realm.close();
  return [name, message ?? output];
})));`;

const outputsOf = (activations: readonly unknown[]): unknown[] => activations.map((each) => (each as { output?: string }).output);

describe('Sandbox across processes', () => {
  it('goes on in another process from a snapshot, as if it had never stopped', async () => {
    const sandbox = await Sandbox.create({ snapshotKey: new Uint8Array(32).fill(9) });
    const { baselineHash } = sandbox.loadBundle({ hash: 'b', code: CODE });
    const live = sandbox.openRealm('b');
    const before = outputsOf(JOBS.slice(0, 4).map((job) => live.activate(job)));
    const image = Buffer.from(live.snapshot()).toString('base64');
    for (const job of JOBS) live.probe(job);
    const after = outputsOf(JOBS.slice(4).map((job) => live.activate(job)));
    const child = await inChild<{ build: string; baselineHash: string; restored: string[]; replayed: string[]; image: string; end: string }>(`
      const [code, jobs, image] = ${JSON.stringify([CODE, JOBS, image])};
      const sandbox = await Sandbox.create({ snapshotKey: key });
      const { baselineHash } = sandbox.loadBundle({ hash: 'b', code });
      const [realm, replay] = [sandbox.restoreRealm('b', Buffer.from(image, 'base64')), sandbox.openRealm('b')];
      const restored = jobs.slice(4).map((job) => realm.activate(job).output);
      const replayed = jobs.slice(0, 4).map((job) => replay.activate(job).output);
      const again = Buffer.from(replay.snapshot()).toString('base64');
      console.log(JSON.stringify({ build: sandbox.build, baselineHash, restored, replayed: [...replayed, ...jobs.slice(4).map((job) => replay.activate(job).output)], image: again, end: Buffer.from(realm.snapshot()).toString('base64') }));`);
    expect(child).toEqual({ build: sandbox.build, baselineHash, restored: after, replayed: [...before, ...after], image, end: Buffer.from(live.snapshot()).toString('base64') });
    expect(JSON.parse(after.at(-1) as string)).toMatchObject({ done: { seen: expect.any(Array) as unknown } });
  }, TIMEOUT_MS);

  it('gives back the memory of a thousand hogs', async () => {
    const { grownMb, stats } = await inChild<{ grownMb: number; stats: unknown }>(`
      const hogs = ['const a = []; for (;;) a.push(new Uint8Array(65536).fill(1))', '(function f() { f() })()', "const s = 'x'.repeat(1e6), a = []; for (;;) a.push(s + a.length + s)", "JSON.parse('['.repeat(1e6))"];
      const sandbox = await Sandbox.create({ snapshotKey: key });
      sandbox.loadBundle({ hash: 'b', code: ${JSON.stringify(CODE)} });
      const hog = (count) => { for (let i = 0; i < count; i++) { const realm = sandbox.openRealm('b'); if (realm.activate(JSON.stringify({ code: hogs[i % hogs.length] })).kind !== 'voided') throw new Error('not voided'); realm.close(); } };
      const rss = async () => { for (let i = 0; i < 5; i++) { gc(); await new Promise(setImmediate); } return process.memoryUsage().rss / 1048576; };
      hog(20);
      const before = await rss();
      hog(1000);
      console.log(JSON.stringify({ grownMb: await rss() - before, stats: sandbox.stats() }));`, '--expose-gc');
    expect(grownMb).toBeLessThan(50);
    expect(stats).toMatchObject({ liveRealms: 0, stages: 0, stagesCreated: 1_020 });
  }, 3 * TIMEOUT_MS);

  it.each([[[]], [['--liftoff-only']], [['--no-liftoff']]])('ends every depth by a stack of its own, however it is compiled %j', async (flags) => {
    const program = `
      const { Worker } = await import('node:worker_threads');
      const told = (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      console.log(JSON.stringify(await told(new Worker(${JSON.stringify(NESTING)}, { eval: true, workerData: ${JSON.stringify({ CODE, DEEP })}, resourceLimits: { stackSizeMb: ${HOST_STACK_MB} } }))));
      process.exit(0);`;
    const ends = await inChild<Record<string, string>>(program, ...flags);
    expect(ends).toEqual(Object.fromEntries(Object.keys(DEEP).map((name) => [name, 'the stack ran over'])));
  }, TIMEOUT_MS);
});
