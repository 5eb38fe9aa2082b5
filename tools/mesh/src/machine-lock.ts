import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { FolderLock } from '@perdure/sqlite';
import { ServerError } from '@perdure/servers';

const TRY_AGAIN_MS = 500;

/**
 * One mesh a machine: sidecars find each other by mDNS, which knows app ids and not meshes, so those of two would answer for each other.
 * The lock ends with the process that holds it.
 */
export const lockMachine = async (cacheFolder: string, { patienceMs }: { readonly patienceMs: number }): Promise<{ release(): void }> => {
  mkdirSync(cacheFolder, { recursive: true });
  const path = join(cacheFolder, 'mesh-lock.db');
  const givenUpMs = performance.now() + patienceMs;
  for (;;) {
    try {
      return new FolderLock(path, cacheFolder);
    } catch (error) {
      if (performance.now() >= givenUpMs) throw new ServerError('another mesh runs on this machine: the sidecars of both would answer for each other. End it first.', { cause: error });
    }
    await after(TRY_AGAIN_MS);
  }
};
