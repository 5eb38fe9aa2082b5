import { randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as after } from 'node:timers/promises';
import { isRunning } from './process/process-tree.js';

const BETWEEN_LOOKS_MS = 200;

export interface Lock {
  readonly file: string;
  /** Told once, with the holder's process id, if it must wait. */
  readonly waiting: (holder: number) => void;
}

/**
 * Does the work while no other process of this machine does it under the same lock. The lock is a file that names its holder; one whose holder has ended is
 * taken over. Two may take it over at the same moment: whoever needs more than "hardly ever twice" must bear that.
 */
export async function withLock<T>({ file, waiting }: Lock, work: () => Promise<T>): Promise<T> {
  const mine = `${file}.${randomUUID()}`;
  await writeFile(mine, String(process.pid));
  try {
    let told = false;
    for (let holder = await take(mine, file); holder !== undefined; holder = await take(mine, file)) {
      if (!told) waiting(holder);
      told = true;
      await after(BETWEEN_LOOKS_MS);
    }
    try {
      return await work();
    } finally {
      await rm(file, { force: true });
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/** Gives who else has it. A link is made with its content, so that nobody reads a lock without a holder. */
async function take(mine: string, file: string): Promise<number | undefined> {
  try {
    await link(mine, file);
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = Number(await readFile(file, 'utf8').catch(() => String(process.pid)));
  if (!isRunning(holder)) await rm(file, { force: true });
  return holder;
}
