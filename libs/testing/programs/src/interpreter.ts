/** The generic workflow: it carries out a program's steps, and keeps state of every kind where only the realm's memory has it. */
export const INTERPRETER = `
import { activities, condition, continueAsNew, isCancelRequested, nextSignal, nonCancellable, onCancel, onQuery, onUpdate, receive, runChild, saga, signal, signalRun, sleep, startChild, upsertAttributes, workflowInfo } from '@perdure/sdk/workflow';
const act = activities({ retry: { maxAttempts: 2, initialInterval: '1s' } });
export const go = signal('go');
const draw = { random: () => Math.random(), now: () => Date.now(), uuid: () => crypto.randomUUID() };
const caught = async (work) => { try { return await work(); } catch (error) { return [error.name, (error.errors ?? []).map((each) => each.name)]; } };

class Counter { #n = 0; static made = 0; constructor() { Counter.made++; } next() { return ++this.#n; } }
function* numbers() { let [a, b] = [0, 1]; for (;;) { const plus = yield a; [a, b] = [b, (a + b + (plus ?? 0)) % 9973]; } }
async function* stream(id) { for (let n = 0; ; n++) yield [n, await caught(() => act.one({ id: id + '~' + n, fails: n % 3 }))]; }
const newLocals = () => {
  const bytes = new Uint8Array(64);
  const key = { weak: 0 };
  return {
    map: new Map(), set: new Set(), bytes, view: new DataView(bytes.buffer), floats: new Float64Array(4), letter: /[a-e]/g, numbers: numbers(), counter: new Counter(), adders: [],
    big: 1n, date: new Date(), key, weak: new WeakMap([[key, 'w']]), bag: new Proxy({}, { get: (target, name) => target[name] ?? String(name).length }), [Symbol.for('hidden')]: 0,
  };
};
const touch = (l, n) => {
  l.map.set(n % 7, [n, l.map.size]).delete((n + 3) % 7);
  l.set.add('s' + (n % 5));
  l.bytes[n % 64] += n;
  l.view.setUint32(n % 60, n * 7919, n % 2 === 0);
  l.floats[n % 4] = Math.sqrt(n) + l.floats[(n + 1) % 4];
  l.letter.test('abcdefg');
  l.numbers.next(n % 3);
  l.counter.next();
  l.adders.push((m) => n + m + l.adders.length);
  l.big = (l.big * 3n + BigInt(n)) % 1000003n;
  l.date.setDate(l.date.getDate() + 1);
  l.weak.set(l.key, l.weak.get(l.key) + n);
  l.bag['k' + (n % 4)] = n;
  l[Symbol.for('hidden')] += n;
};
const digestOf = (l) => [
  [...l.map], [...l.set].sort(), [...l.bytes].reduce((sum, byte) => (sum * 31 + byte) % 65521, 7), [...l.floats].map(String), l.letter.lastIndex, l.numbers.next().value, l.counter.next(),
  l.adders.map((add) => add(1)), String(l.big), l.date.toISOString(), l.weak.get(l.key), [l.bag.k0, l.bag.nothing], l[Symbol.for('hidden')], Counter.made,
];

export async function small({ id, fails, waits }) {
  const own = newLocals();
  touch(own, fails + 1);
  const first = await caught(() => act.one({ id, fails }));
  const second = waits ? await caught(() => nextSignal(go, { timeout: '2h' })) : null;
  return [first, second, Math.random(), digestOf(own)];
}

export async function interpret({ steps, from = 0, log = [], draws = [], handled = [] }) {
  const locals = newLocals();
  const side = [];
  const streams = [];
  onQuery('log', () => { touch(locals, 13); log.push('a query'); return [log.length - 1, draws.length, handled.length, digestOf(locals)]; });
  onCancel((reason) => { side.push(['cancel', reason ?? null]); });
  onUpdate('add', async (n) => {
    draws.push(['update', Math.random()]);
    touch(locals, n);
    const sum = await caught(() => act.add({ id: 'u' + n, fails: n % 3 }));
    handled.push([n, sum]);
    return sum;
  }, { validate: (n) => { touch(locals, 5); if (n % 5 === 4) throw new RangeError('refused ' + n); } });
  const group = (step, id) => Array.from({ length: step.size }, (_, i) => act.part({ id: id + '.' + i, fails: (step.fails + i) % 3 }));
  const perform = {
    activity: (step, id) => act.one({ id, fails: step.fails }),
    all: (step, id) => Promise.all(group(step, id).map((each) => caught(() => each))),
    race: (step, id) => Promise.race(group(step, id)),
    any: (step, id) => Promise.any(group(step, id)),
    hurry: (step, id) => Promise.race([act.one({ id, fails: step.fails }), sleep(step.ms).then(() => 'slow')]),
    sleep: (step) => sleep(step.ms),
    signal: (step) => nextSignal(go, { timeout: step.ms }),
    condition: (step) => condition(() => handled.length > 1 || side.length > 0, step.ms),
    event: (step) => receive('scan', { match: { tracking: 'T1' }, timeout: step.ms }),
    filtered: (step) => receive.event('scan', { match: { tracking: 'T1' }, filter: 'n > \`2\`', since: Date.now() - 3_600_000, timeout: step.ms }).then(({ id }) => id),
    touch: (step) => { touch(locals, step.id); },
    throw: (step) => { throw step.id % 2 ? new TypeError('thrown ' + step.id) : Object.assign(new Error('thrown'), { name: 'Odd' + step.id }); },
    attributes: (step) => { upsertAttributes({ searchAttributes: { n: step.id, tags: ['a', 't' + step.id] }, memo: { at: step.id } }); },
    self: (step) => signalRun(workflowInfo().workflowId, go, step.id),
    shield: (step, id) => nonCancellable(async () => [await act.one({ id, fails: step.id % 3 }), isCancelRequested()]),
    stream: async (step, id) => { const made = streams.length < 2 ? streams[streams.push(stream(id)) - 1] : streams[step.id % 2]; return (await made.next()).value; },
    side: (step, id) => { setTimeout(() => { touch(locals, step.id); side.push([id, Date.now() > 0]); }, step.ms); void caught(() => act.one({ id, fails: step.id % 3 })).then((value) => side.push(value)); },
    child: async (step, id) => {
      const input = { id, fails: step.fails, waits: step.how !== 'run' };
      const workflowId = 'child-' + id;
      if (step.how === 'run') return runChild(small, { workflowId, input });
      const child = await startChild(small, { workflowId, input, parentClosePolicy: step.how === 'abandon' ? 'abandon' : step.id % 2 ? 'cancel' : 'terminate' });
      if (step.how === 'signal') await child.signal('go', id);
      if (step.how === 'cancel') child.cancel();
      return step.how === 'abandon' || step.how === 'leave' ? child.workflowId : child.result();
    },
    saga: async (step, id) => {
      const undo = saga();
      const made = [];
      for (let i = 0; i < step.size; i++) made.push(await caught(() => undo.run(act.book, { id: id + '.' + i, fails: (step.fails + i) % 3 }, act.unbook)));
      if (step.id % 2 === 0) made.push(await caught(() => undo.compensate()));
      return made;
    },
  };
  for (let at = from; at < steps.length; at++) {
    const step = steps[at];
    const id = at + ':' + (step.id ?? 0);
    touch(locals, at);
    if (step.do === 'continue') { if (from === 0) return continueAsNew({ steps, from: at + 1, log, draws, handled }); }
    else if (step.do === 'fail') { if (at > 2) throw new RangeError('as it was told'); }
    else if (step.do === 'draw') draws.push([step.what, draw[step.what]()]);
    else log.push([at, step.do, await caught(async () => (await perform[step.do](step, id)) ?? null)]);
  }
  return { log, draws, handled, side, locals: digestOf(locals) };
}
`;
