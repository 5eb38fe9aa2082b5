import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { followLog } from './follow-log.js';

it('gives the lines of a log as they come, each whole', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-follow-'));
  const file = join(folder, 'log');
  const lines: string[] = [];
  const end = followLog(file, (line) => lines.push(line));
  await appendFile(file, 'one\ntw');
  while (lines.length < 1) await after(5);
  await appendFile(file, 'o\nthr');
  while (lines.length < 2) await after(5);
  await appendFile(file, 'ee');
  end();
  expect(lines).toEqual(['one', 'two', 'three']);
  await rm(folder, { recursive: true });
});
