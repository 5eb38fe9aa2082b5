import { beforeAll, describe, expect, it } from '@jest/globals';
import { evaluateBundle, type Baseline } from './baseline.js';
import { loadEngine, type Engine } from './engine.js';
import { zeroFreeMemory } from './free-memory.js';
import { Instance } from './instance.js';
import { Interpreter } from './interpreter.js';
import { toLimits } from './limits.js';

/** `activate` makes garbage and keeps some of what it made; `drain` tells of what it kept. */
const CODE = `
const kept = [];
globalThis.__perdure = {
  activate(text) {
    const made = Array.from({ length: 400 }, (_, i) => ({ name: ['garbage', text, i].join(' '), list: new Array(i % 50).fill(text) }));
    kept.push(...made.filter((_, i) => i % 7 === 0));
    new ArrayBuffer(300000);
  },
  drain() { return JSON.stringify([kept.length, kept.at(-1)]); },
  manifest() { return '{}'; },
};`;

describe('free memory', () => {
  let engine: Engine;
  let baseline: Baseline;
  beforeAll(async () => {
    engine = await loadEngine(toLimits());
    baseline = evaluateBundle(engine, toLimits(), { hash: 'b', code: CODE });
  });

  const started = () => {
    const instance = new Instance(engine);
    instance.load(baseline);
    const { runtime, context, activate, drain } = baseline.roots;
    const interpreter = new Interpreter(instance, runtime, context);
    return { instance, act: (text: string) => interpreter.send(activate, text), told: () => interpreter.receive(drain, 1e6), zero: () => zeroFreeMemory(instance, { heapStart: baseline.heapStart, runtime, written: baseline.written }) };
  };

  it('is zeroed without the code inside noticing, again and again', () => {
    const [zeroing, other] = [started(), started()];
    for (let round = 0; round < 20; round++) {
      zeroing.act(`x${round}`);
      other.act(`x${round}`);
      expect(zeroing.zero()).toBe(true);
      expect(zeroing.told()).toBe(other.told());
    }
  });

  it('holds no more of what was thrown away', () => {
    const { instance, act, zero } = started();
    act('secret');
    const before = instance.bytes.toString('latin1').split('garbage secret').length;
    expect(zero()).toBe(true);
    const after = instance.bytes.toString('latin1').split('garbage secret').length;
    expect(after).toBeLessThan(before / 3);
    expect(after).toBeGreaterThan(57);
  });

  it('is left alone when the heap is not what it is taken for', () => {
    for (const spoil of [
      ({ words }: Instance) => words.setUint32(baseline.heapStart + 4, 12, true),
      ({ words }: Instance) => words.setUint16(words.getUint32(baseline.roots.runtime + 40 + 12, true) - 8 + 18, 60_000, true),
      ({ words }: Instance) => words.setUint32(baseline.roots.runtime + 40 + 12, baseline.roots.runtime, true),
    ]) {
      const { instance, act, zero } = started();
      act('x');
      spoil(instance);
      const before = Buffer.from(instance.bytes);
      expect(zero()).toBe(false);
      expect(instance.bytes.equals(before)).toBe(true);
    }
  });
});
