import { hash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PerdureError } from '@perdure/contract';
import { checkWalWhole, type MetaFile } from '@perdure/sqlite';

export const META = 'meta.db';
export const shardPath = (folder: string, shard: number): string => join(folder, `shard-${shard}.db`);

/** All that a server writes what it acknowledges to. */
export const filesOf = (folder: string, count: number): string[] => [join(folder, META), ...Array.from({ length: count }, (_, shard) => shardPath(folder, shard))].flatMap((path) => [path, `${path}-wal`]);

/** By its key, which no other folder has; files are told by it. */
export const folderIdOf = (snapshotKey: Uint8Array): number => hash('sha256', snapshotKey, 'buffer').readUInt32BE(0) % 0x7fff_ffff + 1;

/** Set when all files of the folder have been made. */
const MADE = 'made';

const gone = (path: string, what: string): PerdureError => new PerdureError('unavailable', `${path} is gone, and with it ${what}: bring it back, or use another folder.`, { retryable: false });

/**
 * What earlier processes left is all there. Call it with the folder's lock, before anything else of it is opened.
 * @throws PerdureError, StoreFault that names the file
 */
export const checkFiles = (folder: string): void => {
  const names = readdirSync(folder).filter((name) => /^(meta|shard-\d+)\.db(-wal)?$/.test(name)).map((name) => name.replace('-wal', ''));
  const [shard] = names.filter((name) => name !== META).sort();
  if (shard !== undefined && !existsSync(join(folder, META))) throw gone(join(folder, META), `the code of the runs in ${shard}`);
  for (const name of new Set(names)) checkWalWhole(join(folder, name));
};

/** A file that is not there would be made anew, and be empty. @throws PerdureError that names it */
export const checkShards = (meta: MetaFile, { folder, count }: { readonly folder: string; readonly count: number }): void => {
  if (meta.known(MADE) === undefined) return;
  for (let shard = 0; shard < count; shard++) if (!existsSync(shardPath(folder, shard))) throw gone(shardPath(folder, shard), 'its runs');
};

/** All shards have opened their files. */
export const noteMade = (meta: MetaFile): void => void meta.property(MADE, () => 'yes');
