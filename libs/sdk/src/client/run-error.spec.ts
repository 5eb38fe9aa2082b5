import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { toRunError } from './run-error.js';

describe('toRunError', () => {
  it('is shown with the name and the message of each cause, whose stack a realm gives without', () => {
    const cause = { type: 'TerminalError', message: 'out of stock', stack: 'TerminalError: out of stock\n    at reserve (shop.ts:9:3)' };
    const shown = inspect(toRunError({ type: 'ActivityFailed', message: 'Activity reserve failed: out of stock', stack: '    at order (order.ts:3:1)\n', cause }));
    expect(shown).toContain('ActivityFailed: Activity reserve failed: out of stock\n    at order (order.ts:3:1)');
    expect(shown.match(/TerminalError: out of stock/g)).toHaveLength(1);
    expect(shown).toContain('at reserve (shop.ts:9:3)');
  });

  it('has no stack of its reader', () => {
    expect(inspect(toRunError({ type: 'Error', message: 'just text' }))).toBe('[Error: just text]');
    expect(toRunError({ type: 'Odd', message: '', stack: '\n' }).stack).toBe('Odd');
  });
});
