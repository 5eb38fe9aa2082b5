import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AppendFile, readLines } from './append-file.js';

describe('AppendFile', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'perdure-append-'));
    path = join(folder, 'lines.jsonl');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('keeps its lines in the order in which they were given', async () => {
    const file = new AppendFile<number>(path);
    await Promise.all(Array.from({ length: 200 }, (_, index) => file.append(index)));
    await file.append(200);
    file.close();
    expect(readLines(path)).toEqual(Array.from({ length: 201 }, (_, index) => index));
    expect(new AppendFile<number>(path).lines).toHaveLength(201);
  });

  it('cuts off the line that a crash left half written, and goes on after the last whole one', async () => {
    const before = new AppendFile<string>(path);
    await before.append('whole ü');
    before.close();
    appendFileSync(path, '"half wri');
    expect(readLines(path)).toEqual(['whole ü']);
    const after = new AppendFile<string>(path);
    await after.append('next');
    after.close();
    expect(readFileSync(path, 'utf8')).toBe('"whole ü"\n"next"\n');
  });
});
