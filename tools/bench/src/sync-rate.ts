import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const APPEND_BYTES = 4_096;

/** What the disk can do at most: small appends to one file, each synced before the next, as a log that groups nothing would. */
export const measureSyncs = (folder: string, seconds: number): number => {
  const path = join(folder, 'syncs');
  const file = openSync(path, 'w');
  const bytes = Buffer.alloc(APPEND_BYTES, 1);
  const startedAt = performance.now();
  let count = 0;
  while (performance.now() - startedAt < seconds * 1000) {
    writeSync(file, bytes);
    fdatasyncSync(file);
    count++;
  }
  const elapsedS = (performance.now() - startedAt) / 1000;
  closeSync(file);
  rmSync(path);
  return count / elapsedS;
};
