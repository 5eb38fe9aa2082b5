import { describe, expect, it } from '@jest/globals';
import { DatabaseError } from 'pg';
import { isBroken, toStoreFault, type Phase } from './to-store-fault.js';

const sql = (code: string): DatabaseError => Object.assign(new DatabaseError('as the server says', 0, 'error'), { code });
const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
// Its code has the form of an SQLSTATE.
const pipe = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });

describe('What an error means', () => {
  it.each<[string, Error, Record<Phase, string>]>([
    ['a conflict that outlived its retries', sql('40001'), { connecting: 'unavailable', reading: 'unavailable', writing: 'unavailable', committing: 'unavailable' }],
    ['a deadlock', sql('40P01'), { connecting: 'unavailable', reading: 'unavailable', writing: 'unavailable', committing: 'unavailable' }],
    ['an unknown completion', sql('40003'), { connecting: 'unavailable', reading: 'unavailable', writing: 'commitUnknown', committing: 'commitUnknown' }],
    ['a statement that took too long', sql('57014'), { connecting: 'unavailable', reading: 'unavailable', writing: 'commitUnknown', committing: 'commitUnknown' }],
    ['a shutdown', sql('57P01'), { connecting: 'unavailable', reading: 'unavailable', writing: 'commitUnknown', committing: 'commitUnknown' }],
    ['too many connections', sql('53300'), { connecting: 'unavailable', reading: 'unavailable', writing: 'unavailable', committing: 'commitUnknown' }],
    ['a full disk', sql('53100'), { connecting: 'unavailable', reading: 'unavailable', writing: 'unavailable', committing: 'commitUnknown' }],
    ['a server that has become a copy', sql('25006'), { connecting: 'unavailable', reading: 'unavailable', writing: 'unavailable', committing: 'commitUnknown' }],
    ['a key that is there', sql('23505'), { connecting: 'unavailable', reading: 'unavailable', writing: 'contentRefused', committing: 'contentRefused' }],
    ['a value that is none', sql('22021'), { connecting: 'unavailable', reading: 'unavailable', writing: 'contentRefused', committing: 'contentRefused' }],
    ['a row that is too large', sql('54000'), { connecting: 'unavailable', reading: 'unavailable', writing: 'contentRefused', committing: 'contentRefused' }],
    ['a broken connection', reset, { connecting: 'unavailable', reading: 'unavailable', writing: 'commitUnknown', committing: 'commitUnknown' }],
    ['a broken pipe', pipe, { connecting: 'unavailable', reading: 'unavailable', writing: 'commitUnknown', committing: 'commitUnknown' }],
  ])('%s', (_, error, faults) => {
    const found = Object.fromEntries(Object.keys(faults).map((phase) => [phase, toStoreFault(error, phase as Phase).fault]));
    expect(found).toEqual(faults);
  });

  it('a connection is of no more use after some, and of use after others', () => {
    expect([reset, pipe, sql('57P01'), sql('40003')].map(isBroken)).toEqual([true, true, true, true]);
    expect([sql('40001'), sql('23505'), sql('53100')].map(isBroken)).toEqual([false, false, false]);
  });
});
