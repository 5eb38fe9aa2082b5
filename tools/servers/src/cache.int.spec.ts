import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cached, cacheKey, type CachePlace } from './cache.js';
import { LineProgress, type Progress, SilentProgress } from './progress.js';

describe('cached', () => {
  let cache: string;
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'perdure-cache-'));
  });
  afterEach(() => rm(cache, { recursive: true, force: true }));
  const write = (text: string) => (folder: string) => writeFile(join(folder, 'program'), text);
  const place = (progress: Progress = new SilentProgress()): CachePlace => ({ cacheFolder: cache, key: 'etcd-1', progress });
  const refuse = (): Promise<void> => Promise.reject(new Error('not again'));

  it('makes an entry once and finds it from then on', async () => {
    const made = await cached(place(), write('first'));
    expect(await cached(place(), refuse)).toBe(made);
    expect(await readFile(join(made, 'program'), 'utf8')).toBe('first');
    expect(await readdir(cache)).toEqual(['etcd-1']);
  });

  it('makes it once for many who ask at the same time', async () => {
    let made = 0;
    const make = async (folder: string): Promise<void> => write(String(++made))(folder);
    const places = await Promise.all(Array.from({ length: 5 }, () => cached(place(), make)));
    expect([new Set(places).size, made, await readdir(cache)]).toEqual([1, 1, ['etcd-1']]);
  });

  it('says once for whom it waits', async () => {
    let said = '';
    let waiting: Promise<string> | undefined;
    const second = (): Promise<string> => cached(place(new LineProgress({ write: (text) => (said += text) })), refuse);
    await cached(place(), async (folder) => {
      waiting = second();
      while (said === '') await after(5);
      await write('first')(folder);
    });
    await waiting;
    expect(said).toBe(`perdure: waiting for process ${process.pid}, which makes etcd-1 …\n`);
  });

  it('keeps nothing of what failed half-way', async () => {
    const failing = cached(place(), async (folder) => {
      await write('half')(folder);
      throw new Error('no room');
    });
    await expect(failing).rejects.toThrow('no room');
    expect(await readdir(cache)).toEqual([]);
  });

  it('clears away what a killed maker left, and takes over its lock', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    await mkdir(join(cache, '.making-etcd-1-left'));
    await writeFile(join(cache, '.etcd-1.lock'), String(pid));
    await cached(place(), write('whole'));
    expect(await readdir(cache)).toEqual(['etcd-1']);
  });
});

describe('cacheKey', () => {
  it('names another entry for another pin', () => {
    const key = (pin: string): string => cacheKey({ name: 'etcd', version: '3.6.6', inputs: [pin] });
    expect([key('a'), key('a') === key('b')]).toEqual([expect.stringMatching(/^etcd-3\.6\.6-\w+-\w+-[0-9a-f]{8}$/), false]);
  });
});
