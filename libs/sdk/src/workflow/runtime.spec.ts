import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DrivenRun, ENGINES, type Engine } from './testing/driven-run.js';

const CHARGE = `const { charge, ship, refund, release } = sdk.activities({ startToCloseTimeout: '30s', retry: { maxAttempts: 5 } });\n`;
const failed = (seq: number, error: { type: string; message: string }) => ({ kind: 'activityClosed', seq, attempts: 5, outcome: { status: 'failed', error } }) as const;
const cancelled = (seq: number) => ({ kind: 'activityClosed', seq, attempts: 1, outcome: { status: 'cancelled', error: { type: 'Cancelled', message: 'asked to' } } }) as const;
const cancel = { kind: 'cancelRequested', reason: 'changed my mind' } as const;

describe.each(ENGINES)('workflow runtime in %s', (_name, create) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await create();
  });
  afterAll(() => engine.dispose());
  const open = (source: string): Promise<DrivenRun> => DrivenRun.open(engine, source);

  describe('steps', () => {
    it('schedules an activity with the defaults applied, and completes with its result', async () => {
      const run = await open(`${CHARGE} export async function main(order) { return { paid: await charge(order) }; }`);
      const options = { queue: 'default', startToCloseTimeoutMs: 30_000, retry: { maxAttempts: 5, initialIntervalMs: 1_000, backoffCoefficient: 2, maxIntervalMs: 100_000 } };
      expect(run.start({ n: 1 })).toEqual([{ kind: 'scheduleActivity', seq: 1, name: 'charge', input: { n: 1 }, options }]);
      expect(run.completed(1, 'ok')).toEqual([{ kind: 'complete', result: { paid: 'ok' } }]);
    });

    it('numbers what is asked for 1, 2, 3 in the order it is asked', async () => {
      const run = await open(`${CHARGE} export async function main() { await Promise.all([charge('a'), sdk.sleep('1s'), ship('b'), sdk.receive('x', { match: { k: 1 } })]); }`);
      expect(run.start()).toMatchObject([{ seq: 1, name: 'charge' }, { seq: 2, kind: 'startTimer', durationMs: 1_000 }, { seq: 3, name: 'ship' }, { seq: 4, kind: 'openWait', wait: { type: 'x', match: { k: 1 } } }]);
    });

    it('takes an input as it is when it is asked for', async () => {
      const run = await open(`${CHARGE} export async function main() { const a = [1]; const p = charge(a); a.push(2); await p; }`);
      expect(run.start()).toMatchObject([{ input: [1] }]);
    });

    it('packs several arguments into one input', async () => {
      const run = await open(`${CHARGE} export async function main() { charge(); charge(undefined); ship('a', 'b'); await charge(null); }`);
      expect(run.start().map((command) => ('input' in command ? command.input : 'none'))).toEqual(['none', 'none', { $args: ['a', 'b'] }, null]);
    });

    it('changes options for one call', async () => {
      const run = await open(`${CHARGE} export async function main() { await charge.with({ queue: 'fast', retry: { initialInterval: '2s' } })(1); }`);
      expect(run.start()).toMatchObject([{ options: { queue: 'fast', startToCloseTimeoutMs: 30_000, retry: { maxAttempts: 5, initialIntervalMs: 2_000 } } }]);
    });

    it('rejects with ActivityFailed, whose cause is the last error', async () => {
      const run = await open(`${CHARGE} export async function main() { try { await charge(1); } catch (e) { return [e instanceof sdk.ActivityFailed, e.name, e.activity, e.message, e.cause.name, e.cause.message]; } }`);
      run.start();
      expect(run.job(failed(1, { type: 'CardDeclined', message: 'no funds' }))).toEqual([{ kind: 'complete', result: [true, 'ActivityFailed', 'charge', 'Activity charge failed: no funds', 'CardDeclined', 'no funds'] }]);
    });

    it('rejects with ActivityFailed over TimedOut on a timeout', async () => {
      const run = await open(`${CHARGE} export async function main() { try { await charge(1); } catch (e) { return [e.name, e.timeout, e.cause.name]; } }`);
      run.start();
      const commands = run.job({ kind: 'activityClosed', seq: 1, attempts: 1, outcome: { status: 'timedOut', timeout: 'heartbeat', error: { type: 'TimedOut', message: 'silent' } } });
      expect(commands).toEqual([{ kind: 'complete', result: ['ActivityFailed', 'heartbeat', 'TimedOut'] }]);
    });

    it('races an activity and a timer', async () => {
      const run = await open(`${CHARGE} export async function main() { return Promise.race([charge(1), sdk.sleep('1s').then(() => 'late')]); }`);
      run.start();
      expect(run.fired(2)).toEqual([{ kind: 'complete', result: 'late' }]);
      expect(run.completed(1, 'x')).toEqual([]);
    });

    it('ignores a second answer and answers to what it never asked', async () => {
      const run = await open(`${CHARGE} export async function main() { const a = await charge(1); const b = await charge(2); return [a, b]; }`);
      run.start();
      run.completed(1, 'a');
      expect([...run.completed(1, 'again'), ...run.completed(9)]).toEqual([]);
      expect(run.completed(2, 'b')).toEqual([{ kind: 'complete', result: ['a', 'b'] }]);
    });
  });

  describe('how a run ends', () => {
    const ends: readonly (readonly [string, string, object])[] = [
      ['undefined is no result', 'return undefined;', { kind: 'complete' }],
      ['null is a result', 'return null;', { kind: 'complete', result: null }],
      ['an error', `throw Object.assign(new TypeError('bad'), { code: 'E1', details: { a: 1 } });`, { kind: 'fail', error: { type: 'TypeError', message: 'bad', code: 'E1', details: { a: 1 } } }],
      ['a thrown string', `throw 'oops';`, { kind: 'fail', error: { type: 'Error', message: 'oops' } }],
      ['a thrown undefined', `throw undefined;`, { kind: 'fail', error: { type: 'Error', message: 'undefined' } }],
      ['a thrown object', `throw { a: 1 };`, { kind: 'fail', error: { type: 'Error', message: '{"a":1}' } }],
      ['an error that hides', `throw new Proxy({}, { get() { throw 1; } });`, { kind: 'fail', error: { type: 'Error' } }],
      ['a function', 'return { a: { cb() {} } };', { kind: 'fail', error: { type: 'TypeError', message: 'The result of workflow main is not JSON: it holds a function under "cb"' } }],
      ['a key that is null', 'return sdk.receive("scan", { match: { a: 1, b: null } });', { kind: 'fail', error: { type: 'TypeError', message: 'receive() compares keys with strings, numbers and booleans; match.b is null' } }],
      ['a key that is an object', 'return sdk.receive("scan", { match: { a: {} } });', { kind: 'fail', error: { type: 'TypeError', message: expect.stringContaining('match.a is of type object') } }],
      ['a search attribute that is an object', 'sdk.upsertAttributes({ searchAttributes: { a: {} } });', { kind: 'fail', error: { type: 'TypeError', message: expect.stringContaining('a is none of these') } }],
      ['a child without an id', 'return sdk.runChild("kid", { workflowId: "" });', { kind: 'fail', error: { type: 'TypeError', message: 'The workflow id of child kid is empty' } }],
      ['a child whose id nobody can name', 'return sdk.runChild("kid", { workflowId: "a\\u0000" });', { kind: 'fail', error: { type: 'TypeError', message: 'The workflow id of child kid holds a control character' } }],
      ['a child whose id is too long', 'return sdk.runChild("kid", { workflowId: "ü".repeat(257) });', { kind: 'fail', error: { message: 'The workflow id of child kid is 514 bytes long, over the 512 allowed' } }],
      ['a symbol', 'return Symbol("x");', { kind: 'fail', error: { message: 'The result of workflow main is not JSON: it is a symbol' } }],
      ['a Map', 'return [new Map()];', { kind: 'fail', error: { message: expect.stringContaining('it holds a Map (use Object.fromEntries) under "0"') } }],
      ['a forgotten promise', 'return { p: sdk.sleep(1) };', { kind: 'fail', error: { message: expect.stringContaining('a promise (await it first) under "p"') } }],
      ['a BigInt', 'return { a: 1n };', { kind: 'fail', error: { type: 'TypeError', message: expect.stringMatching(/not JSON: .*big ?int/i) } }],
      ['a cycle', 'const a = {}; a.a = a; return a;', { kind: 'fail', error: { type: 'TypeError', message: expect.stringMatching(/not JSON: .*circular/i) } }],
      ['Cancelled without a cancel request', 'throw new sdk.Cancelled();', { kind: 'fail', error: { type: 'Cancelled' } }],
    ];
    it.each(ends)('%s', async (_what, body, expected) => {
      const run = await open(`export async function main() { ${body} }`);
      expect(run.start().at(-1)).toMatchObject(expected);
    });

    it('leaves what JSON.stringify does to user code as it was', async () => {
      const run = await open(`export async function main() { sdk.upsertAttributes({ memo: { a: 1 } }); return [JSON.stringify({ f() {}, m: new Map() }), JSON.stringify([() => 1]), typeof JSON.stringify(() => 1)]; }`);
      expect(run.start().slice(1)).toEqual([{ kind: 'complete', result: ['{"m":{}}', '[null]', 'undefined'] }]);
    });

    it('keeps __proto__ keys of inputs and results', async () => {
      const run = await open(`export async function main(input) { return [Object.keys(input), ({}).polluted, input]; }`);
      run.start(JSON.parse('{"__proto__":{"polluted":1}}') as object as never);
      expect(JSON.stringify(run.last.commands)).toBe('[{"kind":"complete","result":[["__proto__"],null,{"__proto__":{"polluted":1}}]}]');
    });

    it('asks for nothing after its end', async () => {
      const run = await open(`${CHARGE} export async function main() { sdk.sleep(1).then(() => charge(1)); return 1; }`);
      expect(run.start().map(({ kind }) => kind)).toEqual(['startTimer', 'complete']);
      expect(run.fired(1)).toEqual([]);
    });

    it('continues as new with the signals it has not taken', async () => {
      const run = await open(`const go = sdk.signal('go'); export async function main(n) { await sdk.sleep(1); try { return await sdk.continueAsNew(n + 1); } finally { sdk.sleep(1); } }`);
      run.start(1, { carried: [{ id: 'a', name: 'go', input: 'early' }] });
      run.signal('go', 'late');
      expect(run.fired(1)).toEqual([{ kind: 'continueAsNew', workflowType: 'main', input: 2, carried: [{ id: 'a', name: 'go', input: 'early' }, { id: 'signal-go', name: 'go', input: 'late' }] }]);
    });

    it('refuses a workflow it does not have', async () => {
      const run = await open('export async function main() {} export async function other() {}');
      run.start(undefined, { workflowType: 'toString' });
      expect(run.last).toEqual({ commands: [], refused: { code: 'unknown-workflow', message: 'The bundle has no workflow toString', known: ['main', 'other'] } });
    });
  });

  describe('determinism', () => {
    const body = `export async function main() {
      const before = [Date.now(), new Date().getTime(), new Date(5).getTime(), Math.random(), crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(4))]];
      await sdk.sleep(1);
      return { before, now: Date.now(), same: new Date() instanceof Date, ctor: new Date().constructor === Date, text: typeof Date(), gc: [typeof WeakRef, typeof FinalizationRegistry] };
    }`;
    const play = async (runId: string): Promise<unknown> => {
      const run = await open(body);
      run.start(undefined, { run: { tenant: 'demo', workflowId: 'w', runId } });
      return run.fired(1)[0];
    };

    it('gives time by the job, and randomness by the run', async () => {
      const [first, again, other] = [await play('r1'), await play('r1'), await play('r2')] as { result: { before: unknown[]; now: number } }[];
      expect(again).toEqual(first);
      expect(first?.result).toMatchObject({ before: [1_700_000_001_000, 1_700_000_001_000, 5, expect.any(Number), expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/), expect.any(Array)], now: 1_700_000_002_000, same: true, ctor: true, text: 'string', gc: ['undefined', 'undefined'] });
      expect(other?.result.before.slice(3)).not.toEqual(first?.result.before.slice(3));
    });

    it('makes setTimeout a durable timer', async () => {
      const run = await open(`export async function main() { const gone = setTimeout(() => { throw 1; }, 5); clearTimeout(gone); return new Promise((r) => setTimeout(r, 10, 'done')); }`);
      expect(run.start()).toEqual([{ kind: 'startTimer', seq: 1, durationMs: 5 }, { kind: 'cancelTimer', seq: 1 }, { kind: 'startTimer', seq: 2, durationMs: 10 }]);
      expect(run.fired(2)).toEqual([{ kind: 'complete', result: 'done' }]);
    });

    it('clones structures', async () => {
      const run = await open(`export async function main() { const a = { at: new Date(5), map: new Map([[1, new Set([2])]]) }; a.self = a; const b = structuredClone(a); return [b !== a, b.self === b, b.at.getTime(), b.map.get(1).has(2)]; }`);
      expect(run.start()).toEqual([{ kind: 'complete', result: [true, true, 5, true] }]);
    });

    it('fails the run when a timer callback throws', async () => {
      const run = await open(`export async function main() { setTimeout(() => { throw new RangeError('late'); }, 1); await sdk.condition(() => false); }`);
      run.start();
      expect(run.fired(1)).toMatchObject([{ kind: 'fail', error: { type: 'RangeError', message: 'late' } }]);
    });

    it('survives code that replaces built-ins', async () => {
      const run = await open(`${CHARGE} export async function main() {
        JSON.stringify = () => 'x'; JSON.parse = () => 1; Promise.prototype.then = () => {}; Array.prototype.join = () => ''; Object.prototype.toString = () => 'x'; Date.now = () => 1;
        try { globalThis.__perdure = 1; } catch {}
        const r = await charge({ a: 1 }); return [r];
      }`);
      expect(run.start()).toMatchObject([{ kind: 'scheduleActivity', input: { a: 1 } }]);
      expect(run.completed(1, 'ok')).toEqual([{ kind: 'complete', result: ['ok'] }]);
    });

    it('refuses to ask for something while the bundle loads', async () => {
      await expect(open(`sdk.sleep(1); export async function main() {}`)).rejects.toThrow('sleep() was called outside of a workflow run (');
    });

    it('collects what is logged, within a limit', async () => {
      const run = await open(`export async function main() { console.log('a', { b: 1 }, 2); console.error(new Error('x')); for (let i = 0; i < 9999; i++) console.warn('spam'.repeat(10)); await sdk.sleep(1); }`);
      run.start();
      expect(run.last.logs?.slice(0, 2)).toEqual([{ level: 'info', text: 'a {"b":1} 2' }, { level: 'error', text: expect.stringMatching(/^Error: x/) as never }]);
      expect(run.last.logs?.length).toBeLessThan(1_100);
      expect(run.last.logs?.at(-1)?.text).toContain('left out');
      run.fired(1);
      expect(run.last.logs).toBeUndefined();
    });

    it('knows its own run', async () => {
      const run = await open(`export async function main() { sdk.upsertAttributes({ memo: { a: 1, gone: null } }); return sdk.workflowInfo(); }`);
      expect(run.start(undefined, { attributes: { memo: { gone: 1 } }, runTimeoutMs: 5 })).toEqual([
        { kind: 'upsertAttributes', attributes: { memo: { a: 1, gone: null } } },
        { kind: 'complete', result: { tenant: 'demo', workflowId: 'order-7', runId: 'run-1', workflowType: 'main', bundle: 'b', startedAt: 1_700_000_001_000, runTimeoutMs: 5, memo: { a: 1 } } },
      ]);
    });
  });

  describe('events and conditions', () => {
    const event = { tenant: 'demo', source: 's', id: 'e1', type: 'delivered', time: 5, keys: { k: 1 }, data: { at: 'door' } };

    it('receives the data of an event, or the whole event', async () => {
      const run = await open(`export async function main() { return [await sdk.receive('delivered'), await sdk.receive.event('delivered', { timeout: '7 days', since: new Date(9), filter: 'at' })]; }`);
      expect(run.start()).toEqual([{ kind: 'openWait', seq: 1, wait: { type: 'delivered', match: {} } }]);
      expect(run.job({ kind: 'eventReceived', seq: 1, event })).toEqual([{ kind: 'openWait', seq: 2, wait: { type: 'delivered', match: {}, filter: 'at', sinceMs: 9 }, timeoutMs: 604_800_000 }]);
      expect(run.job({ kind: 'eventReceived', seq: 2, event })).toEqual([{ kind: 'complete', result: [{ at: 'door' }, { source: 's', id: 'e1', type: 'delivered', time: 5, keys: { k: 1 }, data: { at: 'door' } }] }]);
    });

    it('rejects with TimedOut', async () => {
      const run = await open(`export async function main() { await sdk.receive('delivered', { timeout: 5 }); }`);
      run.start();
      expect(run.job({ kind: 'waitTimedOut', seq: 1 })).toMatchObject([{ kind: 'fail', error: { type: 'TimedOut', message: 'No event delivered within 5 ms' } }]);
    });

    it('re-evaluates conditions after all jobs of the realm have run, and again when one lets others come true', async () => {
      const run = await open(`${CHARGE} export async function main() {
        let n = 0; const log = [];
        sdk.condition(() => n === 2).then(() => log.push('two'));
        sdk.condition(() => n === 1).then(async () => { log.push('one'); await 0; await 0; n++; });
        (async () => { await charge(); for (let i = 0; i < 50; i++) await i; n++; })();
        await sdk.condition(() => log.length === 2);
        return log;
      }`);
      expect(run.start()).toHaveLength(1);
      expect(run.completed(1)).toEqual([{ kind: 'complete', result: ['one', 'two'] }]);
    });

    it('disarms the timeout of a condition that is met, and rejects that of one that is not', async () => {
      const run = await open(`export async function main() { let ok = false; sdk.onSignal('ok', () => { ok = true; }); await sdk.condition(() => ok, '1m'); await sdk.condition(() => false, '1m'); }`);
      expect(run.start()).toEqual([{ kind: 'startTimer', seq: 1, durationMs: 60_000 }]);
      expect(run.signal('ok')).toEqual([{ kind: 'cancelTimer', seq: 1 }, { kind: 'startTimer', seq: 2, durationMs: 60_000 }]);
      expect(run.fired(2)).toMatchObject([{ kind: 'fail', error: { type: 'TimedOut' } }]);
    });

    it('lets a condition look and not ask', async () => {
      const run = await open(`export async function main() { await sdk.condition(() => { sdk.sleep(1); return true; }); }`);
      expect(run.start()).toMatchObject([{ kind: 'fail', error: { message: 'A condition may not call sleep(): it may only look' } }]);
    });
  });

  describe('signals, queries, updates', () => {
    it('buffers declared signals until they are taken, in order', async () => {
      const run = await open(`const go = sdk.signal('go'); export async function main() { const got = []; await sdk.sleep(1); got.push(await sdk.nextSignal(go)); sdk.onSignal(go, (x) => { got.push(x); }); await sdk.condition(() => got.length === 3); return got; }`);
      run.start();
      run.signal('go', 1);
      run.signal('go', 2);
      expect(run.fired(1)).toEqual([]);
      expect(run.signal('go', 3)).toEqual([{ kind: 'complete', result: [1, 2, 3] }]);
    });

    it('refuses a signal that is neither declared nor handled', async () => {
      const run = await open(`const go = sdk.signal('go'); export async function main() { sdk.onSignal('stop', () => {}); await sdk.sleep(1); }`);
      run.start();
      run.signal('constructor');
      expect(run.last).toEqual({ commands: [], refused: { code: 'unknown-signal', message: 'The workflow has no signal constructor', known: ['go', 'stop'] } });
    });

    it('fails the run when a handler of a signal fails', async () => {
      const run = await open(`${CHARGE} export async function main() { sdk.onSignal('go', async () => { await charge(); }); await sdk.sleep(1); }`);
      run.start();
      expect(run.signal('go')).toMatchObject([{ kind: 'scheduleActivity', seq: 2 }]);
      expect(run.job(failed(2, { type: 'Error', message: 'x' }))).toMatchObject([{ kind: 'fail', error: { type: 'ActivityFailed' } }]);
    });

    it('disarms the timeout of a signal that came, and rejects when it has fired', async () => {
      const run = await open(`export async function main() { const go = sdk.signal('go'); const a = await sdk.nextSignal(go, { timeout: 5 }); await sdk.nextSignal(go, { timeout: 5 }); }`);
      run.start();
      expect(run.signal('go')).toEqual([{ kind: 'cancelTimer', seq: 1 }, { kind: 'startTimer', seq: 2, durationMs: 5 }]);
      expect(run.fired(2)).toMatchObject([{ kind: 'fail', error: { type: 'TimedOut', message: 'No signal go within 5 ms' } }]);
    });

    it('answers queries, also after its end, and lets them ask for nothing', async () => {
      const run = await open(`export async function main() {
        sdk.onQuery('echo', (x) => x); sdk.onQuery('asks', () => sdk.sleep(1)); sdk.onQuery('later', () => { Promise.resolve().then(() => sdk.sleep(1)).catch(() => {}); return 'ok'; });
        sdk.onQuery('async', async () => 1); sdk.onQuery('bad', () => () => 1); await sdk.sleep(1); await sdk.sleep(2); }`);
      run.start();
      expect(run.query('echo', { a: 1 })).toEqual({ value: { a: 1 } });
      expect(run.query('echo')).toEqual({});
      expect(run.query('asks')).toMatchObject({ error: { message: 'Query asks may not call sleep(): it may only look' } });
      expect(run.query('later')).toEqual({ value: 'ok' });
      expect(run.query('async')).toMatchObject({ error: { message: 'Query async returned a promise: it must be synchronous' } });
      expect(run.query('bad')).toMatchObject({ error: { message: expect.stringContaining('it holds a function') } });
      expect(run.last.commands).toEqual([]);
      run.query('nope');
      expect(run.last).toMatchObject({ refused: { code: 'unknown-query', known: ['asks', 'async', 'bad', 'echo', 'later'] } });
      expect(run.fired(1)).toEqual([{ kind: 'startTimer', seq: 2, durationMs: 2 }]);
      expect(run.fired(2)).toEqual([{ kind: 'complete' }]);
      expect(run.query('echo', 1)).toEqual({ value: 1 });
    });

    const UPDATES = `${CHARGE} export async function main() {
      const items = []; sdk.onQuery('items', () => items);
      sdk.onUpdate('add', async (x) => { items.push(x); await charge(x); return items.length; }, { validate: (x) => { items.push('trace'); if (x < 0) throw new RangeError('negative'); if (x === 0) sdk.sleep(1); items.pop(); } });
      sdk.onUpdate('fails', () => { throw new Error('no'); });
      await sdk.sleep('1h');
    }`;
    const update = (name: string, input: number) => ({ kind: 'updateAccepted', id: `u${input}`, name, input }) as const;

    it('completes an update by its handler', async () => {
      const run = await open(UPDATES);
      run.start();
      expect(run.job(update('add', 5))).toMatchObject([{ kind: 'scheduleActivity', seq: 2, input: 5 }]);
      expect(run.completed(2)).toEqual([{ kind: 'completeUpdate', updateId: 'u5', outcome: { status: 'completed', value: 1 } }]);
      expect(run.job(update('fails', 1))).toMatchObject([{ kind: 'completeUpdate', outcome: { status: 'failed', error: { message: 'no' } } }]);
    });

    it('refuses what the validator refuses, and what no one handles', async () => {
      const run = await open(UPDATES);
      run.start();
      run.job(update('add', -1));
      expect(run.last).toMatchObject({ commands: [], refused: { code: 'update-refused', message: 'negative', error: { type: 'RangeError' } } });
      run.job(update('add', 0));
      expect(run.last).toMatchObject({ commands: [], refused: { message: 'The validator of update add may not call sleep(): it may only look' } });
      run.job(update('nope', 1));
      expect(run.last).toMatchObject({ refused: { code: 'unknown-update', known: ['add', 'fails'] } });
      expect(run.job(update('add', 5))).toHaveLength(1);
    });

    it('answers updates that are at work when the run ends', async () => {
      const run = await open(UPDATES);
      run.start();
      run.job(update('add', 5));
      expect(run.fired(1)).toEqual([{ kind: 'completeUpdate', updateId: 'u5', outcome: { status: 'failed', error: { type: 'RunClosed', message: expect.any(String) } } }, { kind: 'complete' }]);
    });
  });

  it('answers an update once, when the run ends while its handler goes on', async () => {
    const run = await open(`export async function main() { await new Promise((resolve) => sdk.onUpdate('end', async () => { resolve(); for (let i = 0; i < 9; i++) await i; return 1; })); }`);
    run.start();
    expect(run.job({ kind: 'updateAccepted', id: 'u', name: 'end' }).map(({ kind }) => kind)).toEqual(['completeUpdate', 'complete']);
  });

  describe('sagas', () => {
    const DELIVER = `${CHARGE} export async function main(order) { const undo = sdk.saga(); try { await undo.run(charge, order, refund); await undo.run(ship, order, release.with({ queue: 'undo' })); } catch (e) { await undo.compensate(); throw e; } }`;

    it('registers the undo ahead of the activity, and compensates', async () => {
      const run = await open(DELIVER);
      expect(run.start('o')).toMatchObject([{ kind: 'registerUndo', undo: { undoSeq: 1, saga: 1, activitySeq: 1, name: 'refund' } }, { kind: 'scheduleActivity', seq: 1, name: 'charge', input: 'o' }]);
      expect(run.completed(1)).toMatchObject([{ kind: 'registerUndo', undo: { undoSeq: 2, saga: 1, activitySeq: 2, name: 'release', options: { queue: 'undo' } } }, { kind: 'scheduleActivity', seq: 2, name: 'ship' }]);
      expect(run.job(failed(2, { type: 'Error', message: 'lost' }))).toEqual([{ kind: 'compensate', seq: 3, saga: 1 }]);
      expect(run.job({ kind: 'compensated', seq: 3, outcome: { status: 'completed' } })).toMatchObject([{ kind: 'fail', error: { type: 'ActivityFailed', message: 'Activity ship failed: lost' } }]);
    });

    it('compensates a cancelled run, whose undo is not cancelled', async () => {
      const run = await open(DELIVER);
      run.start('o');
      expect(run.job(cancel)).toEqual([{ kind: 'cancelActivity', seq: 1 }]);
      expect(run.job(cancelled(1))).toEqual([{ kind: 'compensate', seq: 2, saga: 1 }]);
      expect(run.job({ kind: 'compensated', seq: 2, outcome: { status: 'failed', error: { type: 'Error', message: 'x' } } })).toMatchObject([{ kind: 'fail', error: { type: 'CompensationFailed' } }]);
    });

    it('has nothing to undo at first, and refuses what is no activity', async () => {
      const run = await open(`export async function main() { const undo = sdk.saga(); await undo.compensate(); await undo.run(() => 1, 1, () => 2); }`);
      expect(run.start()).toMatchObject([{ kind: 'fail', error: { type: 'TypeError', message: 'The activity of a saga must be a function from activities()' } }]);
    });
  });

  describe('cancel', () => {
    it('asks what is pending to stop, once', async () => {
      const run = await open(`${CHARGE} const go = sdk.signal('go'); export async function main() {
        const name = (p) => p.catch((e) => e.name);
        const all = [charge(), sdk.sleep(9), sdk.receive('x'), sdk.condition(() => false, 9), sdk.nextSignal(go, { timeout: 9 }), ship()].map(name);
        const ends = await Promise.all(all); await sdk.sleep(1); return ends;
      }`);
      run.start();
      expect(run.job(cancel)).toEqual([
        { kind: 'cancelActivity', seq: 1 }, { kind: 'cancelTimer', seq: 2 }, { kind: 'cancelWait', seq: 3 }, { kind: 'cancelActivity', seq: 6 }, { kind: 'cancelTimer', seq: 4 }, { kind: 'cancelTimer', seq: 5 },
      ]);
      expect(run.job(cancel)).toEqual([]);
      run.completed(1, 'charged all the same');
      expect(run.job(cancelled(6))).toEqual([{ kind: 'startTimer', seq: 7, durationMs: 1 }]);
      expect(run.fired(7)).toEqual([{ kind: 'complete', result: ['charged all the same', 'Cancelled', 'Cancelled', 'Cancelled', 'Cancelled', 'Cancelled'] }]);
    });

    it('ends a run that lets Cancelled through as cancelled', async () => {
      const run = await open(`export async function main() { await sdk.sleep(9); }`);
      run.start();
      expect(run.job(cancel)).toMatchObject([{ kind: 'cancelTimer', seq: 1 }, { kind: 'cancel', error: { type: 'Cancelled', message: 'The run was asked to stop: changed my mind' } }]);
    });

    it('tells listeners, and who asks', async () => {
      const run = await open(`export async function main() { const seen = [sdk.isCancelRequested()]; sdk.onCancel((why) => { seen.push(why); }); await sdk.sleep(9).catch(() => {}); return [...seen, sdk.isCancelRequested()]; }`);
      run.start();
      expect(run.job(cancel).at(-1)).toEqual({ kind: 'complete', result: [false, 'changed my mind', true] });
    });

    it('is held back by a section, and delivered to what comes next', async () => {
      const run = await open(`${CHARGE} export async function main() { const r = await sdk.nonCancellable(async () => { await charge(); await ship(); return 'both'; }); await sdk.sleep(9).catch(() => {}); await sdk.sleep(8); return r; }`);
      run.start();
      expect(run.job(cancel)).toEqual([]);
      expect(run.completed(1)).toMatchObject([{ kind: 'scheduleActivity', seq: 2 }]);
      expect(run.completed(2)).toEqual([{ kind: 'startTimer', seq: 3, durationMs: 8 }]);
      expect(run.fired(3)).toEqual([{ kind: 'complete', result: 'both' }]);
    });
  });

  describe('other runs', () => {
    it('names a child as its workflow is exported, though the SDK has a function of that name, or the module another one', async () => {
      const run = await open(`export async function close() {} async function inner() {} export { inner as outer }; export async function main() { await Promise.all([sdk.startChild(close), sdk.startChild(inner)]); }`);
      expect(run.start()).toMatchObject([{ workflowType: 'close' }, { workflowType: 'outer' }]);
    });

    it('starts a child and awaits its result', async () => {
      const run = await open(`export async function kid() {} export async function main() { const child = await sdk.startChild(kid, { input: 1 }); await child.signal('go', 2); return [child.workflowId, child.runId, await child.result()]; }`);
      expect(run.start()).toEqual([{ kind: 'startChild', seq: 1, workflowType: 'kid', workflowId: 'order-7/1', input: 1, parentClosePolicy: 'terminate' }]);
      expect(run.job({ kind: 'childStarted', seq: 1, runId: 'c1' })).toEqual([{ kind: 'sendSignal', seq: 2, workflowId: 'order-7/1', runId: 'c1', name: 'go', input: 2 }]);
      run.job({ kind: 'childClosed', seq: 1, outcome: { status: 'completed', value: 'v' } });
      expect(run.job({ kind: 'signalSettled', seq: 2, outcome: { status: 'completed' } })).toEqual([{ kind: 'complete', result: ['order-7/1', 'c1', 'v'] }]);
    });

    it('rejects with ChildFailed when a child does not start or fails', async () => {
      const run = await open(`export async function main() { const seen = []; for (const id of ['a', 'b']) try { await sdk.runChild('kid', { workflowId: id, parentClosePolicy: 'abandon' }); } catch (e) { seen.push(e.name, e.workflowId, e.cause.type ?? e.cause.name); } return seen; }`);
      const error = { type: 'WorkflowExists', message: 'taken' };
      run.start();
      run.job({ kind: 'childClosed', seq: 1, outcome: { status: 'failed', error } });
      run.job({ kind: 'childStarted', seq: 2, runId: 'c' });
      expect(run.job({ kind: 'childClosed', seq: 2, outcome: { status: 'failed', error } })).toEqual([{ kind: 'complete', result: ['ChildFailed', 'a', 'WorkflowExists', 'ChildFailed', 'b', 'WorkflowExists'] }]);
    });

    it('passes a cancel request on to children', async () => {
      const run = await open(`export async function main() { const c = await sdk.startChild('kid'); c.cancel(); await c.result(); }`);
      run.start();
      expect(run.job({ kind: 'childStarted', seq: 1, runId: 'c' })).toEqual([{ kind: 'cancelChild', seq: 1 }]);
      expect(run.job(cancel)).toEqual([]);
      expect(run.job({ kind: 'childClosed', seq: 1, outcome: { status: 'cancelled', error: { type: 'Cancelled', message: 'x' } } })).toMatchObject([{ kind: 'cancel' }]);
    });

    it('signals and cancels other runs', async () => {
      const run = await open(`export async function main() { await sdk.cancelRun({ workflowId: 'w', runId: 'r' }); await sdk.signalRun('w', 'go'); }`);
      expect(run.start()).toEqual([{ kind: 'cancelRun', seq: 1, workflowId: 'w', runId: 'r' }]);
      expect(run.job({ kind: 'signalSettled', seq: 1, outcome: { status: 'completed' } })).toEqual([{ kind: 'sendSignal', seq: 2, workflowId: 'w', name: 'go' }]);
      expect(run.job({ kind: 'signalSettled', seq: 2, outcome: { status: 'failed', error: { type: 'UnknownRun', message: 'no such run' } } })).toMatchObject([{ kind: 'fail', error: { type: 'SignalFailed', message: 'The signal go to w did not arrive: no such run' } }]);
    });
  });
});
