import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from './lock.js';
import type { Progress } from './progress.js';

export interface CacheEntry {
  readonly name: string;
  readonly version: string;
  /** Whatever else decides what comes out: the text of pins, flags. */
  readonly inputs: readonly string[];
}

/** Names an entry as it is made here: another pin of anything in it, or another machine, makes another folder. */
export function cacheKey({ name, version, inputs }: CacheEntry): string {
  const hash = createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 8);
  return `${name}-${version}-${process.platform}-${process.arch}-${hash}`;
}

export interface CachePlace {
  readonly cacheFolder: string;
  readonly key: string;
  readonly progress: Progress;
}

/**
 * What is fetched or built, once per key, in a folder of the cache.
 *
 * 1. A folder under its key is whole: it is made elsewhere in the cache and renamed into place.
 * 2. One process at a time makes it; the others wait and use it. Should two make it after all, the loser uses the winner's.
 * 3. What a maker left that came to no end goes when the next one begins.
 */
export async function cached({ cacheFolder, key, progress }: CachePlace, make: (folder: string) => Promise<void>): Promise<string> {
  const place = join(cacheFolder, key);
  if (existsSync(place)) return place;
  await mkdir(cacheFolder, { recursive: true });
  const waiting = (holder: number): void => progress.note(`waiting for process ${holder}, which makes ${key} …`);
  await withLock({ file: join(cacheFolder, `.${key}.lock`), waiting }, async () => {
    if (!existsSync(place)) await makeWhole(place, { cacheFolder, prefix: `.making-${key}-`, make });
  });
  return place;
}

interface Making {
  readonly cacheFolder: string;
  readonly prefix: string;
  readonly make: (folder: string) => Promise<void>;
}

async function makeWhole(place: string, { cacheFolder, prefix, make }: Making): Promise<void> {
  const left = (await readdir(cacheFolder)).filter((name) => name.startsWith(prefix));
  for (const name of left) await rm(join(cacheFolder, name), { recursive: true, force: true });
  const making = await mkdtemp(join(cacheFolder, prefix));
  try {
    // Another user may run what is in it: PostgreSQL refuses to be root.
    await chmod(making, 0o755);
    await make(making);
    await rename(making, place).catch((error: unknown) => {
      if (!existsSync(place)) throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}
