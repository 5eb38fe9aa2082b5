import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ONE_OF_EACH } from './mesh-options.js';
import { slicesOf } from './slices.js';

describe('slicesOf', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'perdure-slices-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('has so many for each node, as the first start has it', () => {
    expect(slicesOf(folder, { replicas: { ...ONE_OF_EACH, history: 2 }, perNode: 2 })).toBe('history=4,scheduler=2,correlation=2,compensation=2');
    expect(slicesOf(folder, { replicas: ONE_OF_EACH, perNode: 1 })).toBe('history=4,scheduler=2,correlation=2,compensation=2');
  });

  it('refuses nodes that would own nothing', () => {
    slicesOf(folder, { replicas: ONE_OF_EACH, perNode: 1 });
    expect(() => slicesOf(folder, { replicas: { ...ONE_OF_EACH, scheduler: 2 }, perNode: 1 })).toThrow('scheduler has 1 slice in this data folder');
  });
});
