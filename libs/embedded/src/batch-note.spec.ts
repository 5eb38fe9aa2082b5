import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FileBatchNote } from './batch-note.js';

describe('The note of what is in hand', () => {
  let folder: string;
  let path: string;
  let note: FileBatchNote;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'perdure-note-'));
    path = join(folder, 'note');
    note = new FileBatchNote(path, (error) => expect(error).toBeUndefined());
  });
  afterAll(() => {
    note.close();
    rmSync(folder, { recursive: true });
  });

  it('is read as it was written, whatever longer one was there before', () => {
    note.write({ cursor: 7, names: ['a', 'b'] });
    note.write({ cursor: 8, names: ['c'], tries: 2 });
    expect(note.read()).toEqual({ cursor: 8, names: ['c'], tries: 2 });
  });

  it.each(['', '{"cursor":7,"na', 'null', '7', '"text"', '[]', '{}', '{"cursor":7}', '{"cursor":"7","names":["a"]}', '{"cursor":7,"names":7}', '{"cursor":7,"names":[7]}', '{"cursor":7,"names":["a"],"tries":"2"}'])('is none when it is damaged: %s', (text) => {
    writeFileSync(path, text);
    expect(note.read()).toBeUndefined();
  });
});
