import { describe, expect, it } from '@jest/globals';
import { assertRetirable, BUNDLE_RETIRE_AFTER_MS, toBundleView, type StoredBundle } from './bundles.js';

const bundle = (defaultFor: readonly string[] = []): StoredBundle => ({ hash: 'h', name: 'shop', workflows: ['order'], bytes: 1, createdAt: 0, defaultFor });
const at = (nowMs: number, runs?: { readonly open: number; readonly newest: number }, defaultFor: readonly string[] = []) => toBundleView(bundle(defaultFor), { tenant: 't', runs, nowMs });

describe('a bundle can be retired', () => {
  it('not while it is a default, nor while runs on it are open, nor before its newest run is old enough, and says which', () => {
    const late = 1_000 + BUNDLE_RETIRE_AFTER_MS;
    expect(at(late, undefined, ['order'])).toMatchObject({ retirable: false, why: 'it is the default for order' });
    expect(at(late, { open: 2, newest: 1_000 })).toMatchObject({ retirable: false, openRuns: 2, why: '2 runs on it have not closed' });
    expect(at(late - 1, { open: 0, newest: 1_000 })).toMatchObject({ retirable: false, why: 'its newest run started less than 8 days ago' });
    expect(at(late, { open: 0, newest: 1_000 })).toMatchObject({ retirable: true, openRuns: 0 });
    expect(at(late)).not.toHaveProperty('why');
  });

  it('is asserted with the code that clients know', () => {
    expect(() => assertRetirable('h', undefined)).toThrow(expect.objectContaining({ code: 'unknown-bundle' }));
    expect(() => assertRetirable('h', at(0, { open: 1, newest: 0 }))).toThrow(expect.objectContaining({ code: 'bundle-in-use' }));
    expect(() => assertRetirable('h', at(BUNDLE_RETIRE_AFTER_MS))).not.toThrow();
  });
});
