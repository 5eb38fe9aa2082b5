import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerProcess } from '@perdure/servers';
import { startSidecar } from './start-sidecar.js';

const RACE = 'level=fatal msg="failed to create metadata table: ERROR: type \\"dapr_metadata\\" already exists"\n'.replaceAll('\\"', '"');

let folder: string;
let logFile: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perdure-sidecar-'));
  logFile = join(folder, 'daprd.log');
});
afterEach(() => rm(folder, { recursive: true }));

const SIDECAR = { name: 'daprd' } as ServerProcess;

/** Each start writes the next line and fails; without one it serves. */
const startsThatTell = (lines: readonly string[]) => {
  const calls = { count: 0 };
  const start = async (): Promise<ServerProcess> => {
    const line = lines[calls.count++];
    if (line === undefined) return SIDECAR;
    await appendFile(logFile, line);
    throw new Error(`it ended: ${line}`);
  };
  return { start, calls };
};

describe('startSidecar', () => {
  it('starts one again that lost the race for the tables', async () => {
    const { start, calls } = startsThatTell([RACE, RACE]);
    expect(await startSidecar(start, { logFile })).toBe(SIDECAR);
    expect(calls.count).toBe(3);
  });

  it('gives up after three starts', async () => {
    const { start, calls } = startsThatTell([RACE, RACE, RACE, RACE]);
    await expect(startSidecar(start, { logFile })).rejects.toThrow('already exists');
    expect(calls.count).toBe(3);
  });

  it('starts none again that ended for another reason, whatever an earlier life has written', async () => {
    await appendFile(logFile, RACE);
    const { start, calls } = startsThatTell(['level=fatal msg="no such component"\n']);
    await expect(startSidecar(start, { logFile })).rejects.toThrow('no such component');
    expect(calls.count).toBe(1);
  });
});
