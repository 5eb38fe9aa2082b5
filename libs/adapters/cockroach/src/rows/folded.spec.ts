import { describe, expect, it } from '@jest/globals';
import { Folded } from './folded.js';

const folded = (...changes: ['put' | 'update' | 'delete', string, string?][]): object => {
  const all = new Folded<string, string>((row, state) => `${row}+${state}`);
  for (const [kind, key, value] of changes) {
    if (kind === 'put') all.put(key, value!);
    else if (kind === 'update') all.update(key, value!);
    else all.delete(key);
  }
  return { puts: all.puts, updates: all.updates, deletes: all.deletes };
};

describe('Changes that were folded', () => {
  it.each<[string, Parameters<typeof folded>, object]>([
    ['a change of what was put is in the row', [['put', 'a', 'x'], ['update', 'a', 'y'], ['update', 'a', 'z']], { puts: ['x+y+z'], updates: [], deletes: [] }],
    ['of changes the last counts', [['update', 'a', 'y'], ['update', 'a', 'z']], { puts: [], updates: [['a', 'z']], deletes: [] }],
    ['what was changed and deleted is deleted', [['update', 'a', 'y'], ['delete', 'a']], { puts: [], updates: [], deletes: ['a'] }],
    ['what was put and deleted is deleted, for it may have been there', [['put', 'a', 'x'], ['delete', 'a']], { puts: [], updates: [], deletes: ['a'] }],
    ['what was deleted and put again is put', [['delete', 'a'], ['put', 'a', 'x']], { puts: ['x'], updates: [], deletes: [] }],
    ['a change of what was deleted is none', [['delete', 'a'], ['update', 'a', 'y']], { puts: [], updates: [], deletes: ['a'] }],
    ['keys are apart', [['put', 'a', 'x'], ['delete', 'b'], ['update', 'c', 'y']], { puts: ['x'], updates: [['c', 'y']], deletes: ['b'] }],
  ])('%s', (_, changes, expected) => {
    expect(folded(...changes)).toEqual(expected);
  });

  it('put no key twice', () => {
    expect(() => folded(['put', 'a', 'x'], ['put', 'a', 'y'])).toThrow(expect.objectContaining({ fault: 'contentRefused' }));
  });
});
