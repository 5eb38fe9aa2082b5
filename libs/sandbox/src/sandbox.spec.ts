import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Activation } from './realm.js';
import { Sandbox } from './sandbox.js';

/** A bundle of its own kind: each job is an expression to evaluate, `step` waits for the next job. */
const CODE = `
let out = [], waiting = [], total = 0;
const step = () => new Promise((resolve) => waiting.push(resolve));
const loop = async () => { for (;;) { total += await step(); out.push(total); } };
globalThis.__perdure = {
  activate(job) { const { add, code } = JSON.parse(job); if (code) out.push(String((0, eval)(code))); if (add) waiting.shift()(add); },
  drain() { const text = JSON.stringify(out); out = []; return text; },
  manifest() { return '{}'; },
};
loop();
`;

const hogs: readonly [string, string][] = [
  ['endless loop', 'for (;;);'],
  ['endless loop that catches', 'try { for (;;); } catch {} 1'],
  ['endless microtasks', '(function f() { Promise.resolve().then(f) })(); 1'],
  ['endless recursion', '(function f() { f() })()'],
  ['endless recursion that catches', '(function f() { try { f() } catch {} })(); 1'],
  ['string doubling', "let s = 'x'; for (;;) s += s"],
  ['string doubling that catches', "try { let s = 'x'.repeat(1 << 20); const a = []; for (;;) a.push(s + a.length) } catch {} 1"],
  ['typed arrays of 64 KB', 'const a = []; for (;;) a.push(new Uint8Array(65536).fill(1))'],
  ['closures', 'const a = []; for (let i = 0; ; i++) a.push(() => i)'],
  ['a giant array', 'new Array(2 ** 31).fill(0)'],
  ['deep JSON', "JSON.parse('['.repeat(5e6))"],
  ['a catastrophic regex', "/^(a+)+$/.test('a'.repeat(40) + 'b')"],
  ['a hostile sort', '[3, 2, 1].sort(function f(a, b) { return [b, a].sort(f) })'],
  ['a chain of proxies', 'let p = {}; for (let i = 0; i < 1e6; i++) p = new Proxy(p, {}); p.x'],
];

describe('Sandbox', () => {
  let sandbox: Sandbox;
  const text = (activation: Activation): unknown => (activation.kind === 'ok' ? JSON.parse(activation.output) : activation.reason);
  beforeEach(async () => {
    sandbox = await Sandbox.create({ limits: { activationMs: 300 }, snapshotKey: new Uint8Array(32) });
    sandbox.loadBundle({ hash: 'b', code: CODE });
  });
  afterEach(() => sandbox.dispose());

  it('keeps pending promises from one job to the next, in realms of their own', () => {
    const [one, other] = [sandbox.openRealm('b'), sandbox.openRealm('b')];
    expect(text(one.activate('{"add":1}'))).toEqual([1]);
    expect(text(other.activate('{"add":10}'))).toEqual([10]);
    expect(text(one.activate('{"add":2}'))).toEqual([3]);
  });

  it('leaves nothing of a closed realm to the next', () => {
    const first = sandbox.openRealm('b');
    first.activate('{"add":1}');
    first.activate(JSON.stringify({ code: 'globalThis.leak = new Uint8Array(1e6).fill(7); 1' }));
    first.close();
    const second = sandbox.openRealm('b');
    expect(sandbox.stats().instancesCreated).toBe(1);
    expect(text(second.activate(JSON.stringify({ add: 5, code: 'typeof leak' })))).toEqual(['undefined', 5]);
  });

  it('puts a probed realm back, byte for byte', () => {
    const realm = sandbox.openRealm('b');
    realm.activate('{"add":1}');
    const before = realm.snapshot();
    expect(text(realm.probe('{"add":100}'))).toEqual([101]);
    expect(text(realm.probe(JSON.stringify({ code: 'globalThis.big = new Uint8Array(3e6).fill(7); 1' })))).toEqual(['1']);
    expect(Buffer.from(realm.snapshot()).equals(Buffer.from(before))).toBe(true);
    expect(text(realm.activateUnless('{"add":1}', () => false))).toEqual([2]);
  });

  it('goes on from a snapshot in another sandbox as if nothing had been', async () => {
    const realm = sandbox.openRealm('b');
    realm.activate('{"add":1}');
    const image = realm.snapshot();
    const elsewhere = await Sandbox.create({ snapshotKey: new Uint8Array(32) });
    elsewhere.loadBundle({ hash: 'b', code: CODE });
    const restored = elsewhere.restoreRealm('b', image)!;
    for (const add of [2, 3]) expect(text(restored.activate(JSON.stringify({ add })))).toEqual(text(realm.activate(JSON.stringify({ add }))));
    expect(Buffer.from(restored.snapshot()).equals(Buffer.from(realm.snapshot()))).toBe(true);
  });

  it('refuses an image that is damaged, has another key, or belongs to another bundle', async () => {
    const realm = sandbox.openRealm('b');
    const image = Buffer.from(realm.snapshot());
    const damaged = Buffer.from(image);
    damaged[image.length - 1]! ^= 1;
    sandbox.loadBundle({ hash: 'c', code: `${CODE};1` });
    const strangers = await Sandbox.create();
    strangers.loadBundle({ hash: 'b', code: CODE });
    expect([sandbox.restoreRealm('b', damaged), sandbox.restoreRealm('c', image), strangers.restoreRealm('b', image), sandbox.restoreRealm('b', new Uint8Array(3))]).toEqual([undefined, undefined, undefined, undefined]);
  });

  it.each(hogs)('voids the activation of a realm with %s, and others go on', (_, code) => {
    const neighbour = sandbox.openRealm('b');
    const realm = sandbox.openRealm('b');
    expect(realm.activate(JSON.stringify({ code }))).toMatchObject({ kind: 'voided', reason: expect.stringMatching(/^(time|memory|stack|trap)$/) as unknown });
    realm.close();
    expect(text(neighbour.activate('{"add":4}'))).toEqual([4]);
    expect(text(sandbox.openRealm('b').activate('{"add":4}'))).toEqual([4]);
  });

  it('gives code no way to the host', () => {
    const realm = sandbox.openRealm('b');
    const names = ['process', 'require', 'fetch', 'std', 'os', 'WebAssembly', 'Atomics', 'SharedArrayBuffer', 'WeakRef', 'FinalizationRegistry', 'performance'];
    expect(text(realm.activate(JSON.stringify({ code: `${JSON.stringify(names)}.filter((name) => name in globalThis).join()` })))).toEqual(['']);
  });

  it.each([
    ['does not compile', 'let = ;'],
    ['throws', "throw new Error('at load')"],
    ['never ends', 'for (;;);'],
    ['defines no entry', '1'],
  ])('refuses a bundle that %s', async (_, code) => {
    const quick = await Sandbox.create({ limits: { evaluationMs: 300 } });
    expect(() => quick.loadBundle({ hash: 'x', code })).toThrow(expect.objectContaining({ code: 'bundle-invalid' }));
  });
});
