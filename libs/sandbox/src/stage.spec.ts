import { beforeAll, describe, expect, it } from '@jest/globals';
import { evaluateBundle, type Baseline } from './baseline.js';
import { loadEngine, type Engine } from './engine.js';
import { toLimits, WASM_PAGE_BYTES } from './limits.js';
import { RealmMemory, RecordBuffers } from './realm-memory.js';
import { Stage } from './stage.js';

/** A job is code to evaluate, or a text to weigh. What is in `ground` is there at the baseline, so that only what is written to it marks its lines. */
const CODE = `
globalThis.kept = [];
globalThis.ground = new ArrayBuffer(262144);
let told = '';
globalThis.__perdure = {
  activate(job) { told = job[0] === '#' ? String(job.length) : String((0, eval)(job)); },
  drain() { return told; },
  manifest() { return '{}'; },
};`;

/** What writes to memory in as many ways as there are: each leaves something behind. */
const WRITERS: readonly string[] = [
  ...['Int8', 'Uint16', 'Int32', 'Float32', 'Float64', 'BigInt64'].map((type) => `const a = new ${type}Array(ground); for (let i = 5; i < a.length; i += 257) a[i] = ${type === 'BigInt64' ? '7n' : '7'}; a.length`),
  // Across the border of two lines, wherever the ground lies: each at another distance from it.
  ...['Uint16', 'Uint32', 'Float32', 'Float64', 'BigUint64'].map((type) => `const v = new DataView(ground); for (let i = 0; i < 1000; i++) v.set${type}(i * 256 + (i % 64), ${type === 'BigUint64' ? '2n ** 64n - 1n' : '65535'}); 1`),
  'new Uint8Array(ground).set(new Uint8Array(ground, 0, 3).fill(3), 200_001); new Uint8Array(ground).copyWithin(100_000, 0, 129); 1',
  `#${'x'.repeat(300_000)}`,
  'kept.push({ a: 1, b: [1, 2.5, 3n ** 200n] })',
  'kept.push(Array.from({ length: 3000 }, (_, i) => ({ i, text: "t" + i }))); kept.length',
  'const v = new DataView(new ArrayBuffer(4096)); for (let i = 1; i < 4000; i += 7) { v.setUint32(i, i * 65537); v.setFloat64(i + 5, i / 3); v.setBigUint64(i + 3, 2n ** 63n); v.setUint16(i + 1, 65535); } kept.push(v); 1',
  'for (const C of [Int8Array, Uint16Array, Int32Array, Float32Array, Float64Array, BigInt64Array]) { const a = new C(999); a.fill(C === BigInt64Array ? 7n : 7); a.copyWithin(101, 3, 500); a.set(a.subarray(5, 200), 33); a.reverse(); a.sort(); kept.push(a); } 1',
  'kept.push("x".repeat(70001) + "é漢😀".repeat(999), ["a", "b"].join("-".repeat(333))); kept.at(-1).length',
  'kept.push("aXbXc".repeat(500).replace(/(.)X/g, (_, c) => c.toUpperCase()).split("B").map((s) => s.trim()).reverse()); 1',
  'globalThis["name" + kept.length] = new Map(Array.from({ length: 500 }, (_, i) => [i, new Set([i, String(i)])])); 1',
  'class A { #p = 1; static s = []; get p() { return this.#p } set p(v) { this.#p = v } } for (let i = 0; i < 300; i++) { const a = new A(); a.p = i; A.s.push(a); } kept.push(A); 1',
  'Object.defineProperty(Array.prototype, "mine" + kept.length, { value: () => kept, enumerable: false }); Object.prototype.p = 5; 1',
  'function* g() { for (let i = 0; ; i++) yield i } const i = g(); i.next(); kept.push(i, (async () => { await null; kept.push("later"); await new Promise((r) => kept.push(r)); })()); 1',
  'kept = kept.filter((_, i) => i % 2); (() => { const c = {}; c.c = c; })(); JSON.stringify(kept.map((k) => typeof k))',
  'kept.push(JSON.parse(JSON.stringify(Array.from({ length: 800 }, (_, i) => ({ ["k" + i]: [i / 7, null, true, { deep: [i] }] }))))); 1',
  'kept.push([5, 3, 9, 1].sort(), Array.from({ length: 5000 }, (_, i) => (i * 7919) % 5003).sort((a, b) => a - b), new Date(0).toISOString(), Symbol("s"), 1e21.toString(), (0.1).toFixed(20)); 1',
  'try { null.x } catch (e) { kept.push(e.stack, e) } new Function("a", "return a + 1")(2)',
  'let big = 3n ** 5000n; kept.push(big * big, big.toString().length, new Proxy({}, { get: () => big }), Reflect.ownKeys(globalThis)); 1',
  'kept.push(new Uint8Array(300_000).fill(9), new Array(20000).fill(0.5)); 1',
];

describe('Stage', () => {
  let engine: Engine;
  let baseline: Baseline;
  beforeAll(async () => {
    engine = await loadEngine(toLimits());
    baseline = evaluateBundle(engine, toLimits(), { hash: 'b', code: CODE });
  });

  const act = (stage: Stage, memory: RealmMemory, code: string): string => {
    stage.enter(memory);
    memory.isCurrent = false;
    const { interpreter } = stage;
    return stage.instance.run(10_000, () => {
      interpreter.send(baseline.roots.activate, code);
      interpreter.runJobs();
      return interpreter.receive(baseline.roots.drain, 1e6);
    });
  };
  const memoryOf = ({ instance }: Stage): Buffer => instance.bytes.subarray(engine.dataStart, instance.physicalPages * WASM_PAGE_BYTES);
  const pristine = (stage: Stage): Buffer => Buffer.concat([baseline.image, Buffer.alloc(memoryOf(stage).length - baseline.image.length)]);

  it('is the baseline again, byte for byte, whatever a realm wrote and however', () => {
    const stage = new Stage(engine, baseline, new RecordBuffers());
    for (let round = 0; round < 3; round++) {
      for (const code of WRITERS) {
        const memory = new RealmMemory(baseline.pages);
        act(stage, memory, code);
        expect(memoryOf(stage).equals(pristine(stage))).toBe(false);
        stage.leave();
        expect([code, memoryOf(stage).equals(pristine(stage))]).toEqual([code, true]);
      }
    }
  });

  it('gives each realm in turn the memory that it left, byte for byte', () => {
    const stage = new Stage(engine, baseline, new RecordBuffers());
    const alone = WRITERS.map(() => new Stage(engine, baseline, new RecordBuffers()));
    const turns = WRITERS.map(() => ({ memory: new RealmMemory(baseline.pages), alone: new RealmMemory(baseline.pages) }));
    for (let round = 0; round < WRITERS.length; round++) {
      for (const [index, { memory, alone: itself }] of turns.entries()) {
        const code = WRITERS[(index + round) % WRITERS.length]!;
        expect(act(stage, memory, code)).toBe(act(alone[index]!, itself, code));
      }
    }
    for (const [index, { memory }] of turns.entries()) {
      stage.enter(memory);
      const other = memoryOf(alone[index]!);
      expect(memoryOf(stage).subarray(0, other.length).equals(other)).toBe(true);
      expect(memoryOf(stage).subarray(other.length).every((byte) => byte === 0)).toBe(true);
    }
  });

  it('has no job of a realm above its stack when the next one enters', () => {
    const stage = new Stage(engine, baseline, new RecordBuffers());
    const [memory, other] = [new RealmMemory(baseline.pages), new RealmMemory(baseline.pages)];
    for (const size of [1, 100_000]) {
      act(stage, memory, `'between us' + ' '.repeat(${size}) + '${'x'.repeat(size)}'`);
      expect(stage.instance.bytes.includes('between us', engine.stackBytes)).toBe(true);
      stage.enter(other);
      expect(stage.instance.bytes.includes('between us', engine.stackBytes)).toBe(false);
    }
  });

  it('leaves the realm where it is while there is no room for its records', () => {
    let isFull = false;
    class FillingBuffers extends RecordBuffers {
      override roomFor(length: number, given: Buffer): Buffer {
        return isFull ? Buffer.alloc(-1) : super.roomFor(length, given);
      }
    }
    const stage = new Stage(engine, baseline, new FillingBuffers());
    const [memory, other] = [new RealmMemory(baseline.pages), new RealmMemory(baseline.pages)];
    act(stage, memory, WRITERS.at(-1)!);
    const before = Buffer.from(memoryOf(stage));
    for (const attempt of [(): void => stage.save(memory), (): void => stage.enter(other)]) {
      isFull = true;
      expect(attempt).toThrow(expect.objectContaining({ name: 'RangeError' }));
      expect(memoryOf(stage).equals(before)).toBe(true);
      isFull = false;
    }
    stage.enter(other);
    stage.enter(memory);
    expect(memoryOf(stage).equals(before)).toBe(true);
  });

  it('goes back to what was saved, whether the records were at hand or not', () => {
    const stage = new Stage(engine, baseline, new RecordBuffers());
    const [memory, other] = [new RealmMemory(baseline.pages), new RealmMemory(baseline.pages)];
    act(stage, memory, WRITERS[1]!);
    for (const isEntering of [false, true]) {
      if (isEntering) act(stage, other, WRITERS[0]!);
      stage.enter(memory);
      stage.save(memory);
      const before = Buffer.from(memoryOf(stage));
      act(stage, memory, WRITERS.at(-1)!);
      expect(memory.pages === stage.instance.pages && memoryOf(stage).equals(before)).toBe(false);
      stage.revert(memory);
      expect(memoryOf(stage).subarray(0, before.length).equals(before)).toBe(true);
      expect(stage.instance.pages).toBe(memory.pages);
    }
  });
});
