import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort } from '@perdure/servers';
import { ManagedProcess } from '../crash/managed-process.js';
import { readLines } from './append-file.js';
import { LedgerClient } from './ledger-client.js';
import type { LedgerLine, LedgerRecord } from './ledger-record.js';

const MAIN = fileURLToPath(new URL('../../dist/book/main.js', import.meta.url));
const effect = (execution: string, key: string): LedgerRecord => ({ kind: 'effect', execution, key, effectId: key });

describe("the ledger's process", () => {
  let folder: string;
  let process: ManagedProcess;
  let client: LedgerClient;
  let path: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'perdure-ledger-'));
    path = join(folder, 'ledger.jsonl');
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/`;
    process = new ManagedProcess({ name: 'ledger', role: 'ledger', args: [MAIN, path, String(port)], log: join(folder, 'log'), isReady: async () => (await fetch(url)).ok });
    client = new LedgerClient(url);
    await process.start();
  });
  afterEach(async () => {
    await process.kill();
    rmSync(folder, { recursive: true });
  });

  it('remembers through SIGKILL, and answers alike whoever asks twice', async () => {
    expect(await client.record(effect('a', 'k1'))).toBe('new');
    expect(await client.record(effect('b', 'k1'))).toBe('already applied');
    await process.kill();
    await process.start();
    expect(await client.record(effect('a', 'k1'))).toBe('new');
    expect(await client.record(effect('b', 'k1'))).toBe('already applied');
    expect(await client.record(effect('c', 'k1'))).toBe('already applied');
    expect(readLines<LedgerLine>(path)).toHaveLength(3);
  });

  it('loses no acknowledged record and applies none twice while it is killed again and again', async () => {
    const answers: string[] = [];
    const telling = Array.from({ length: 20 }, async (_, k) => {
      for (let n = 0; n < 20; n++) answers.push(`k${n} ${await client.record(effect(`${k}-${n}`, `k${n}`))}`);
    });
    const all = Promise.all(telling);
    for (let kill = 0; kill < 4; kill++) {
      const enough = answers.length + 40;
      while (answers.length < Math.min(enough, 400)) await new Promise((resolve) => setImmediate(resolve));
      await process.kill();
      await process.start();
    }
    await all;
    const lines = readLines<LedgerLine>(path);
    expect(lines).toHaveLength(400);
    expect(lines.filter(({ applied }) => applied)).toHaveLength(20);
    expect(answers.filter((answer) => answer.endsWith(' new'))).toHaveLength(20);
  });
});
