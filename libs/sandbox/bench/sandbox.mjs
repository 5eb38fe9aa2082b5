// Prints what realms cost here. Build first: npx tsc -b libs/sandbox && node libs/sandbox/bench/sandbox.mjs
import { Sandbox } from '@perdure/sandbox';

const CODE = `
let seq = 0, commands = [], done; const pending = new Map();
const step = (name, input) => { const id = seq++; commands.push({ id, name, input }); return new Promise((resolve) => pending.set(id, resolve)); };
const run = async (input) => { let sum = 0; for (let i = 0; i < 5; i++) sum += (await step('a', { i, input })).v; return sum; };
globalThis.__perdure = {
  activate(job) { const { start, id, result } = JSON.parse(job); if (start) run(start).then((value) => { done = value; }); else if (pending.has(id)) { pending.get(id)(result); pending.delete(id); } },
  drain() { const text = JSON.stringify({ commands, done }); commands = []; return text; },
  manifest() { return '{}'; },
};`;
const START = JSON.stringify({ start: { order: 'o1', items: [1, 2, 3] } });
const answer = (id) => JSON.stringify({ id, result: { v: 1 } });

/** The median of several rounds, since the machine may be shared. */
function microseconds(count, work) {
  const rounds = [];
  for (let round = 0; round < 7; round++) {
    const began = performance.now();
    for (let i = 0; i < count; i++) work(i);
    rounds.push(((performance.now() - began) * 1000) / count);
  }
  return rounds.sort((a, b) => a - b)[3];
}
const print = (what, value, unit) => console.log(`${what.padEnd(58)} ${value.toFixed(1).padStart(9)} ${unit}`);
const rssKb = () => (globalThis.gc?.(), process.memoryUsage().rss / 1024);

let began = performance.now();
const sandbox = await Sandbox.create({ limits: { realmsMax: 4_000 } });
print('load and compile the interpreter', performance.now() - began, 'ms');
began = performance.now();
sandbox.loadBundle({ hash: 'b', code: CODE });
print('evaluate a small bundle', performance.now() - began, 'ms');

const wholeRun = () => {
  const realm = sandbox.openRealm('b');
  realm.activate(START);
  for (let id = 0; id < 5; id++) realm.activate(answer(id));
  realm.close();
};
microseconds(300, wholeRun);
print('open and close', microseconds(2_000, () => sandbox.openRealm('b').close()), 'us');
const whole = microseconds(1_000, wholeRun);
print('a five-step run: open, six activations, close', whole, 'us');
print('  of which one activation', whole / 6, 'us');
/** Runs that take turns, as those of a server do: what one touches is out of the cache when it is its turn again. */
const inTurns = (count) => {
  const realms = Array.from({ length: count }, () => sandbox.openRealm('b'));
  for (const each of realms) each.activate(START);
  for (let id = 0; id < 5; id++) for (const each of realms) each.activate(answer(id));
  for (const each of realms) each.close();
};
for (const count of [16, 64, 256]) print(`  the whole run when ${count} take turns`, microseconds(Math.ceil(1_000 / count), () => inTurns(count)) / count, 'us');
const realm = sandbox.openRealm('b');
realm.activate(START);
realm.activate(answer(0));
print('probe', microseconds(1_000, () => realm.probe('{}')), 'us');
print('snapshot', microseconds(300, () => realm.snapshot()), 'us');
const image = realm.snapshot();
print('  its size', image.length, 'bytes');
print('restore', microseconds(300, () => sandbox.restoreRealm('b', image).close()), 'us');

const before = rssKb();
const live = Array.from({ length: 2_000 }, () => sandbox.openRealm('b'));
for (const each of live) each.activate(START);
print('resident memory of a live realm', (rssKb() - before) / live.length, 'KB');
print('five-step runs interleaved over 2,000 realms, an activation', microseconds(1, () => {
  for (let id = 0; id < 5; id++) for (const each of live) each.activate(answer(id));
}) / (5 * live.length), 'us');
