import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FolderLogArchive } from '@perdure/archive';
import { MemoryLogArchive } from '@perdure/delivery/testing';
import { logArchiveSuite } from './log-archive-suite.js';

logArchiveSuite('memory', async () => {
  const archive = new MemoryLogArchive();
  return { archive, reopen: async () => archive, close: async () => undefined };
});

const filesIn = async (folder: string): Promise<string[]> => (await readdir(folder, { recursive: true, withFileTypes: true })).flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));

logArchiveSuite('folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-archive-'));
  // It is made when it is needed.
  const root = join(folder, 'a', 'b');
  return {
    archive: new FolderLogArchive(root),
    reopen: async () => new FolderLogArchive(root),
    damage: async () => {
      const [file] = await filesIn(root);
      const content = await readFile(file!);
      content[content.length >> 1]! ^= 1;
      await writeFile(file!, content);
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

describe('FolderLogArchive', () => {
  const LOG = { slice: 'history/0', identity: 'i' } as const;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perdure-archive-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('leaves nothing beside its segments, and passes over what is none', async () => {
    const archive = new FolderLogArchive(folder);
    await archive.put(LOG, { first: 0, last: 1 }, 'a');
    await archive.put(LOG, { first: 0, last: 1 }, 'b');
    const files = await filesIn(folder);
    expect(files).toEqual([join(folder, 'history-0', 'i', '0000000000000000-0000000000000001.jsonl.zst')]);
    // Of a put that was broken off.
    await writeFile(join(folder, 'history-0', 'i', '.0000000000000002-0000000000000003.jsonl.zst.x'), 'half');
    expect(await archive.segments(LOG)).toEqual([{ first: 0, last: 1 }]);
  });

  it('gives nothing of what was cut off', async () => {
    const archive = new FolderLogArchive(folder);
    await archive.put(LOG, { first: 0, last: 1 }, 'a');
    const [file] = await filesIn(folder);
    for (const missing of [1, 3, 3]) {
      await truncate(file!, (await stat(file!)).size - missing);
      await expect(archive.get(LOG, { first: 0, last: 1 })).rejects.toMatchObject({ code: 'unavailable' });
    }
  });

  it('says so when it cannot be written', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(new FolderLogArchive(join(folder, 'file')).put(LOG, { first: 0, last: 1 }, 'a')).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('history/0 0–1') });
  });
});
