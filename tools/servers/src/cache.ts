import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What is fetched or built, once per key, in a folder of the cache.
 *
 * 1. A folder under its key is whole: it is made elsewhere in the cache and renamed into place.
 * 2. Whoever loses a race uses the winner's.
 */
export async function cached(cacheFolder: string, key: string, make: (folder: string) => Promise<void>): Promise<string> {
  const place = join(cacheFolder, key);
  if (existsSync(place)) return place;
  await mkdir(cacheFolder, { recursive: true });
  const making = await mkdtemp(join(cacheFolder, `.making-${key}-`));
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
  return place;
}

/** Names a program as it is made here: another pin of anything in it, or another machine, makes another folder. */
export async function cacheKey(name: string, version: string, inputs: readonly string[] = []): Promise<string> {
  const platform = `${name}-${version}-${process.platform}-${process.arch}`;
  if (inputs.length === 0) return platform;
  const hash = createHash('sha256');
  for (const path of inputs) hash.update(await readFile(path));
  return `${platform}-${hash.digest('hex').slice(0, 8)}`;
}
