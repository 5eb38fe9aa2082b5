import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyDelta, deltaOf } from './memory-delta.js';

const BLOCK = 4096;
const LINE = 64;

/** Of the lines that differ. */
const marksOf = (memory: Buffer, base: Buffer): Buffer =>
  Buffer.from(Array.from({ length: memory.length / LINE }, (_, line) => Number(!memory.subarray(line * LINE, (line + 1) * LINE).equals(Buffer.concat([base, Buffer.alloc(memory.length)]).subarray(line * LINE, (line + 1) * LINE)))));

describe('memory delta', () => {
  it('makes of the other memory the one it was taken of, whichever bytes differ, beyond its end too, wherever the delta lies', () => {
    const change = fc.tuple(fc.nat(5 * BLOCK - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5 }), fc.array(change, { maxLength: 200 }), fc.array(change, { maxLength: 200 }), fc.nat(3), (baseBlocks, before, changes, offset) => {
        const base = Buffer.alloc(baseBlocks * BLOCK);
        for (const [at, value] of before) if (at < base.length) base[at] = value;
        const memory = Buffer.concat([base, Buffer.alloc(5 * BLOCK - base.length)]);
        for (const [at, value] of changes) memory[at] = value;
        const restored = Buffer.concat([base, Buffer.alloc(memory.length - base.length)]);
        const [marks, marked] = [marksOf(memory, base), Buffer.alloc(memory.length / LINE)];
        applyDelta(restored, deltaOf(memory, base, marks), marked);
        expect(restored.equals(memory)).toBe(true);
        expect(marked.equals(marks)).toBe(true);
        const elsewhere = Buffer.concat([base, Buffer.alloc(memory.length - base.length)]);
        applyDelta(elsewhere, Buffer.concat([Buffer.alloc(offset), deltaOf(memory, base, marks)]).subarray(offset), marked);
        expect(elsewhere.equals(memory)).toBe(true);
      }),
    );
  });

  it('costs nothing for what is the same, and little for a word', () => {
    const base = Buffer.alloc(8 * BLOCK, 7);
    const memory = Buffer.from(base);
    const all = Buffer.alloc(memory.length / LINE, 1);
    expect(deltaOf(memory, base, all).length).toBe(4);
    memory.writeUInt32LE(1, 5 * BLOCK + 64);
    expect(deltaOf(memory, base, all).length).toBe(4 + 4 + 4);
    expect(deltaOf(memory, base, Buffer.alloc(memory.length / LINE)).length).toBe(4);
  });
});
