import { describe, expect, it } from '@jest/globals';
import { LedgerBook } from './ledger-book.js';
import type { LedgerRecord } from './ledger-record.js';

const effect = (execution: string, key = 'k'): LedgerRecord => ({ kind: 'effect', execution, key, effectId: 'p#1' });

describe('LedgerBook', () => {
  it('applies an effect once per key, and records whoever comes later', () => {
    const book = new LedgerBook();
    expect(book.take(effect('a'))).toEqual({ answer: 'new', line: { ...effect('a'), applied: true } });
    expect(book.take(effect('b'))).toEqual({ answer: 'already applied', line: { ...effect('b'), applied: false } });
    expect(book.take(effect('c', 'other')).answer).toBe('new');
  });

  it('gives the same answer to who asks twice, and writes nothing', () => {
    const book = new LedgerBook();
    book.take(effect('a'));
    expect(book.take(effect('a'))).toEqual({ answer: 'new' });
  });

  it('tells an attempt from an effect of the same execution', () => {
    const book = new LedgerBook();
    const attempt: LedgerRecord = { kind: 'attempt', execution: 'a', key: 'k', effectId: 'p#1', attempt: 1, handOut: [0, 1, 0] };
    expect(book.take(attempt)).toEqual({ answer: 'new', line: attempt });
    expect(book.take(effect('a')).line).toMatchObject({ applied: true });
  });

  it('knows what its file says', () => {
    const book = new LedgerBook();
    book.restore({ ...effect('a'), applied: true });
    book.restore({ ...effect('b'), applied: false });
    expect(book.take(effect('a'))).toEqual({ answer: 'new' });
    expect(book.take(effect('b'))).toEqual({ answer: 'already applied' });
    expect(book.take(effect('c')).answer).toBe('already applied');
  });
});
