import { describe, expect, it } from '@jest/globals';
import { renderTable, showNumber } from './table.js';

describe('table', () => {
  it('puts text to the left and numbers to the right', () => {
    expect(renderTable(['name', 'rate'], [['a', '9.00'], ['longer', '1,234'], ['b', '-']])).toBe(['name     rate', '------  -----', 'a        9.00', 'longer  1,234', 'b           -'].join('\n'));
  });

  it('shows as many digits as say something', () => {
    expect([1234.5, 100, 56.78, 8.901, 0.0042, undefined, Number.NaN].map(showNumber)).toEqual(['1,235', '100', '56.8', '8.90', '0.00', '-', '-']);
  });
});
