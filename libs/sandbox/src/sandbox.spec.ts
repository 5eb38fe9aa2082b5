import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Activation, Realm } from './realm.js';
import { Sandbox } from './sandbox.js';
import { Vault } from './vault.js';

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
  ['a native loop over a giant array', "new Array(2 ** 27).join('')"],
  ['a native loop that catches', "try { new Array(2 ** 27).join('') } catch {} 1"],
  ['long searches in a short loop', "const s = 'a'.repeat(12e6); for (let i = 0; i < 300; i++) s.indexOf('ab')"],
  ['huge integers', 'const b = 3n ** 200000n; for (let i = 0; i < 90; i++) b * b'],
  ['deep stringify', 'let o = 1; for (let i = 0; i < 1e5; i++) o = [o]; JSON.stringify(o)'],
  ['a toString that asks for itself', "const o = { toString() { return '' + o } }; '' + o"],
  ['generators in generators', 'function* g() { yield* g() } [...g()]'],
  ['deep source', "(0, eval)('('.repeat(1e5))"],
  ['bound functions in a chain', 'let f = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(null, 1, 2, 3); f()'],
  ['constructors that construct', 'class A { constructor() { new A() } } new A()'],
  ['a spread that grows', '(function f(...a) { f(...a, ...a, 1) })()'],
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
    expect(sandbox.stats().stagesCreated).toBe(1);
    expect(text(second.activate(JSON.stringify({ add: 5, code: 'typeof leak' })))).toEqual(['undefined', 5]);
  });

  it.each([['records were made for what may be refused', 1e6, true], ['stage was given up', 6e6, false]])('moves a realm that has become large to a stage of its own as it is by then, when its %s before', (_, bytes, isRefusable) => {
    const realm = sandbox.openRealm('b');
    const code = (text: string): string => JSON.stringify({ code: text });
    realm.activate(code(`globalThis.all = [new Uint8Array(${bytes}).fill(7)]; 1`));
    for (let count = 2; count <= 6; count++) {
      const job = code(`all.push(${count})`);
      expect(text(isRefusable ? realm.activateUnless(job, () => false) : realm.activate(job))).toEqual([String(count)]);
      expect(text(realm.activate(code('all.length')))).toEqual([String(count)]);
    }
    const other = sandbox.openRealm('b');
    expect(text(other.activate(code('typeof all')))).toEqual(['undefined']);
    expect(text(realm.activate(code('all.length')))).toEqual(['6']);
    other.close();
    realm.close();
    expect(sandbox.heldBytes).toBeLessThan(8e6);
  });

  describe('when the machine has no memory for what is moved', () => {
    const refuse = (count: number): void => {
      const reserve = jest.spyOn(Vault.prototype, 'reserve');
      for (let times = 0; times < count; times++) reserve.mockImplementationOnce(() => void new ArrayBuffer(2 ** 53));
    };
    afterEach(() => void jest.restoreAllMocks());

    it('refuses what can be tried again, and the realms are what they were', () => {
      const [one, other] = [sandbox.openRealm('b'), sandbox.openRealm('b')];
      one.activate('{"add":1}');
      for (const attempt of [(): unknown => other.activate('{"add":1}'), (): unknown => other.snapshot()]) {
        refuse(1);
        expect(attempt).toThrow(expect.objectContaining({ code: 'overloaded' }));
      }
      expect(text(other.activate('{"add":10}'))).toEqual([10]);
      expect(text(one.activate('{"add":2}'))).toEqual([3]);
      refuse(1);
      expect(() => one.probe('{"add":1}')).toThrow(expect.objectContaining({ code: 'overloaded' }));
      expect(text(one.activate('{"add":3}'))).toEqual([6]);
    });

    it('counts no realm that could not be restored', () => {
      const image = sandbox.openRealm('b').snapshot();
      const before = sandbox.stats().liveRealms;
      refuse(1);
      expect(() => sandbox.restoreRealm('b', image)).toThrow(expect.objectContaining({ code: 'overloaded' }));
      expect(sandbox.stats().liveRealms).toBe(before);
    });

    it('gives up a realm that it cannot put back', () => {
      const [one, other] = [sandbox.openRealm('b'), sandbox.openRealm('b')];
      other.activate('{"add":10}');
      one.activate('{"add":1}');
      const refused = (): boolean => {
        refuse(1);
        return true;
      };
      expect(() => one.activateUnless('{"add":1}', refused)).toThrow(expect.objectContaining({ code: 'overloaded' }));
      expect(() => one.activate('{"add":1}')).toThrow('a closed or voided realm does nothing');
      one.close();
      expect(text(other.activate('{"add":1}'))).toEqual([11]);
      expect(text(sandbox.openRealm('b').activate('{"add":5}'))).toEqual([5]);
    });
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

  it('makes the same image of the same state, however it came to it, and no other realm is the worse for it', () => {
    const code = `globalThis.shelf = new Uint8Array(9000).fill(7); globalThis.ballast = Array.from({ length: 900 }, (_, i) => ({ i, text: 'ballast' + i, list: new Array(9).fill(i) }));${CODE}`;
    // Writes what is there already: the line is marked, and yet not in the image.
    const sum = JSON.stringify({ code: 'shelf[5000] = 7; ballast.reduce((sum, { i, text, list }) => sum + i + text.length + list[8], 0)' });
    const drop = JSON.stringify({ code: 'shelf = undefined; ballast.length = 0' });
    sandbox.loadBundle({ hash: 'laden', code });
    const fresh = Buffer.from(sandbox.openRealm('laden').snapshot());
    const live = sandbox.openRealm('laden');
    const told = text(live.activate(sum));
    const restored = sandbox.restoreRealm('laden', live.snapshot())!;
    for (const realm of [live, restored]) realm.activate(drop);
    expect(Buffer.from(live.snapshot()).equals(Buffer.from(restored.snapshot()))).toBe(true);
    expect(Buffer.from(sandbox.openRealm('laden').snapshot()).equals(fresh)).toBe(true);
    expect(text(sandbox.openRealm('laden').activate(sum))).toEqual(told);
  });

  it('tells why it refuses an image: damage, another key, bundle, baseline or build', async () => {
    const image = Buffer.from(sandbox.openRealm('b').snapshot());
    const damaged = Buffer.from(image);
    damaged[image.length - 1]! ^= 1;
    sandbox.loadBundle({ hash: 'c', code: CODE });
    const key = { snapshotKey: new Uint8Array(32) };
    const [strangers, changed, otherBuild] = [await Sandbox.create(), await Sandbox.create(key), await Sandbox.create({ ...key, limits: { stackBytes: 128 * 1024 } })];
    changed.loadBundle({ hash: 'b', code: `${CODE};globalThis.more = 1` });
    for (const each of [strangers, otherBuild]) each.loadBundle({ hash: 'b', code: CODE });
    const why = (where: Sandbox, bundle: string, bytes: Uint8Array): unknown => [where.snapshotRejection(bundle, bytes), where.restoreRealm(bundle, bytes)];
    expect(why(sandbox, 'b', damaged)).toEqual(['corrupt', undefined]);
    expect(why(sandbox, 'b', image.subarray(0, 3))).toEqual(['corrupt', undefined]);
    expect(why(sandbox, 'b', image.subarray(0, 32))).toEqual(['corrupt', undefined]);
    expect(why(strangers, 'b', image)).toEqual(['corrupt', undefined]);
    expect(why(sandbox, 'c', image)).toEqual(['other-bundle', undefined]);
    expect(why(changed, 'b', image)).toEqual(['other-baseline', undefined]);
    expect(why(otherBuild, 'b', image)).toEqual(['other-build', undefined]);
    expect(sandbox.stats()).toMatchObject({ liveRealms: 1, snapshotsRejected: 4 });
    expect(sandbox.snapshotRejection('b', image)).toBeUndefined();
  });

  it('gives the next realm zeros where the former one wrote', () => {
    const grown = (realm: Realm): Buffer => {
      realm.activate(JSON.stringify({ code: 'globalThis.big = new Uint8Array(2e6); 1' }));
      return Buffer.from(realm.snapshot());
    };
    const clean = grown(sandbox.openRealm('b'));
    const former = sandbox.openRealm('b');
    former.activate(JSON.stringify({ code: 'new Uint8Array(2.2e6).fill(7); "x".repeat(1e5) + 1; 1' }));
    former.close();
    expect(sandbox.stats().stagesCreated).toBe(1);
    expect(grown(sandbox.openRealm('b')).equals(clean)).toBe(true);
  });

  it.each([
    ['stack', '(function f() { try { f() } catch {} })(); 1'],
    ['memory', 'const a = []; try { for (;;) a.push(new Uint8Array(65536)) } catch {} 1'],
    ['time', 'try { for (;;); } catch {} 1'],
  ])('names the limit, even if code caught it: %s', async (reason, code) => {
    const shallow = await Sandbox.create({ limits: { activationMs: 300, stackBytes: 64 * 1024 } });
    shallow.loadBundle({ hash: 'b', code: CODE });
    expect(shallow.openRealm('b').activate(JSON.stringify({ code }))).toMatchObject({ kind: 'voided', reason });
  });

  it('looks at the clock during long copies, however few', async () => {
    const hasty = await Sandbox.create({ limits: { activationMs: 1 } });
    hasty.loadBundle({ hash: 'b', code: CODE });
    const code = 'const a = new Uint8Array(12e6), b = new Uint8Array(12e6); for (let i = 0; i < 60; i++) a.set(b); 1';
    expect(hasty.openRealm('b').activate(JSON.stringify({ code }))).toMatchObject({ kind: 'voided', reason: 'time' });
  });

  it('keeps the snapshot of a small run small', () => {
    const realm = sandbox.openRealm('b');
    realm.activate('{"add":1}');
    expect(realm.snapshot().length).toBeLessThan(6_000);
  });

  it('gives a large realm a stage of its own, and takes that away with it', () => {
    const realm = sandbox.openRealm('b');
    realm.activate(JSON.stringify({ code: 'globalThis.big = new Uint8Array(9e6).fill(7); 1' }));
    const restored = sandbox.restoreRealm('b', realm.snapshot())!;
    expect(text(restored.activate(JSON.stringify({ code: 'big.length + ":" + big[8999999]' })))).toEqual(['9000000:7']);
    for (let turn = 0; turn < 3; turn++) {
      expect(text(realm.activate(JSON.stringify({ code: 'big.length + ":" + ++big[0]' })))).toEqual([`9000000:${8 + turn}`]);
      expect(text(restored.activate(JSON.stringify({ code: 'big.length + ":" + --big[0]' })))).toEqual([`9000000:${6 - turn}`]);
    }
    expect(text(sandbox.openRealm('b').activate(JSON.stringify({ code: 'typeof big' })))).toEqual(['undefined']);
    expect(sandbox.stats().stages).toBe(3);
    expect(sandbox.heldBytes).toBeGreaterThan(17e6);
    for (const each of [realm, restored]) each.close();
    expect(sandbox.stats().stages).toBe(1);
    expect(sandbox.heldBytes).toBeLessThan(1e5);
  });

  it('puts the realm back when the check of its output throws', () => {
    const realm = sandbox.openRealm('b');
    const before = Buffer.from(realm.snapshot());
    const refuse = (): boolean => {
      throw new Error('no');
    };
    expect(() => realm.activateUnless('{"add":1}', refuse)).toThrow('no');
    expect(before.equals(Buffer.from(realm.snapshot()))).toBe(true);
  });

  it('carries any text; a lone surrogate becomes U+FFFD', () => {
    const realm = sandbox.openRealm('b');
    const echo = (value: string): unknown => text(realm.activate(JSON.stringify({ code: JSON.stringify(value) })));
    for (const value of ['', 'é', '漢字', '😀', 'a\u0000b', 'x'.repeat(300_000), '漢'.repeat(200_000)]) expect(echo(value)).toEqual([value]);
    const raw = sandbox.loadBundle({ hash: 'raw', code: 'let s; globalThis.__perdure = { activate(job) { s = job }, drain() { return s }, manifest() { return "{}" } }' });
    expect(sandbox.openRealm(raw.hash).activate('a\ud800b')).toEqual({ kind: 'ok', output: 'a\ufffdb' });
  });

  it('voids an activation that says more than it may, or throws, or does not answer with a string', async () => {
    const terse = await Sandbox.create({ limits: { outputBytesMax: 1_000 } });
    terse.loadBundle({ hash: 'b', code: CODE });
    const reasons = ["'x'.repeat(2000)", "(() => { throw new TypeError('bad') })()"].map((code) => terse.openRealm('b').activate(JSON.stringify({ code })));
    expect(reasons).toEqual([expect.objectContaining({ reason: 'output' }), { kind: 'voided', reason: 'trap', message: 'TypeError: bad' }]);
    terse.loadBundle({ hash: 'odd', code: 'globalThis.__perdure = { activate() {}, drain() { return 7 }, manifest() { return "{}" } }' });
    expect(terse.openRealm('odd').activate('')).toMatchObject({ kind: 'voided', reason: 'trap' });
  });

  it('refuses more realms than it may have, and a bundle that nobody loaded', async () => {
    const small = await Sandbox.create({ limits: { realmsMax: 2 } });
    small.loadBundle({ hash: 'b', code: CODE });
    const realms = [small.openRealm('b'), small.openRealm('b')];
    expect(() => small.openRealm('b')).toThrow(expect.objectContaining({ code: 'overloaded' }));
    realms[0]!.close();
    realms[0]!.close();
    expect(() => small.openRealm('b')).not.toThrow();
    expect(() => small.openRealm('b')).toThrow(expect.objectContaining({ code: 'overloaded' }));
    realms[1]!.close();
    expect(() => small.openRealm('x')).toThrow(expect.objectContaining({ code: 'unknown-bundle' }));
  });

  it('has a stage for each bundle, and moves the realms of those used longest ago off theirs when there may be no more', async () => {
    const small = await Sandbox.create({ limits: { stagesMax: 2, largeRealmBytes: 64 * 1024 } });
    const hashes = ['one', 'two', 'three'];
    const realms = hashes.map((hash) => {
      small.loadBundle({ hash, code: `${CODE}globalThis.hash = '${hash}';` });
      const realm = small.openRealm(hash);
      realm.activate(JSON.stringify({ code: 'globalThis.kept = new Uint8Array(2e5).fill(hash.length); 1' }));
      return realm;
    });
    for (let turn = 1; turn <= 3; turn++) {
      for (const [index, realm] of realms.entries()) expect(text(realm.activate(JSON.stringify({ add: 2, code: 'hash + kept[199999]' })))).toEqual([`${hashes[index]}${hashes[index]!.length}`, 2 * turn]);
    }
    expect(small.stats()).toMatchObject({ stages: 2, liveRealms: 3 });
  });

  it('leaves the bundles half of the stages, however many realms are large', async () => {
    const small = await Sandbox.create({ limits: { stagesMax: 4, largeRealmBytes: 64 * 1024 } });
    for (const hash of ['one', 'two']) small.loadBundle({ hash, code: CODE });
    const large = Array.from({ length: 5 }, () => small.openRealm('one'));
    const grow = JSON.stringify({ code: 'globalThis.kept = new Uint8Array(2e5).fill(7); 1' });
    for (let turn = 0; turn < 2; turn++) for (const realm of large) realm.activate(grow);
    const others = ['one', 'two'].map((hash) => small.openRealm(hash));
    for (const other of others) other.activate('{"add":1}');
    const { stagesCreated } = small.stats();
    for (let turn = 2; turn <= 4; turn++) for (const other of others) expect(text(other.activate('{"add":1}'))).toEqual([turn]);
    expect(small.stats()).toMatchObject({ stages: 4, stagesCreated });
    for (const realm of large) realm.close();
    expect(small.stats().stages).toBe(2);
    const next = small.openRealm('one');
    for (let turn = 0; turn < 2; turn++) next.activate(grow);
    others[0]!.activate('{"add":1}');
    next.activate(grow);
    expect(small.stats().stages).toBe(3);
  });

  it('makes room for a bundle by the longest unused, never by one with live realms', async () => {
    const small = await Sandbox.create({ limits: { bundlesMax: 2 } });
    const load = (hash: string): void => void small.loadBundle({ hash, code: `${CODE};'${hash}'` });
    load('one');
    load('two');
    const realm = small.openRealm('one');
    load('three');
    expect(['one', 'two', 'three'].map((hash) => small.hasBundle(hash))).toEqual([true, false, true]);
    small.openRealm('three');
    expect(() => load('four')).toThrow(expect.objectContaining({ code: 'overloaded' }));
    expect(text(realm.activate('{"add":1}'))).toEqual([1]);
  });

  it('has a clock and randomness that never change', () => {
    const draw = (): unknown => text(sandbox.openRealm('b').activate(JSON.stringify({ code: '[Date.now(), new Date().getTimezoneOffset(), Math.random()].join()' })));
    expect(draw()).toEqual(draw());
    expect(JSON.stringify(draw())).toMatch(/^\["0,0,0\./);
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
    expect(quick.hasBundle('x')).toBe(false);
  });

  it('says in which line a bundle is wrong, and refuses one that is too large', async () => {
    const small = await Sandbox.create({ limits: { bundleBytesMax: 100 } });
    const load = (code: string) => () => small.loadBundle({ hash: 'x', code });
    expect(load('1;\n\nlet = ;')).toThrow(/bundle\.js:3/);
    expect(load("1;\nthrow new Error('at load');")).toThrow(/at load.*bundle\.js:2/);
    expect(load(' '.repeat(101))).toThrow(expect.objectContaining({ code: 'payload-too-large' }));
  });
});
