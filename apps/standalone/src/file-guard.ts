import { existsSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

/** For so long a server may go on with files that nobody can open any more, milliseconds. */
const LOOK_EVERY_MS = 1_000;

/**
 * Looks whether the files are those that were there at first. SQLite goes on writing to one that was removed or moved away under it, and what is acknowledged then ends with the process.
 *
 * @param paths those that are not there now are left out
 * @param onGone told once, with the first that is gone or another file
 * @returns ends the watch; `onGone` is not called after that
 */
export const guardFiles = (paths: readonly string[], onGone: (path: string) => void): (() => void) => {
  const files = paths.filter((path) => existsSync(path)).map((path) => ({ path, ino: statSync(path).ino }));
  let isOver = false;
  const end = (): void => {
    isOver = true;
    clearInterval(timer);
  };
  const look = async (): Promise<void> => {
    for (const { path, ino } of files) {
      // A stat that fails for another reason says nothing of the file.
      const found = await stat(path).then((its) => its.ino, (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : ino));
      if (isOver || found === ino) continue;
      end();
      onGone(path);
    }
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  timer.unref();
  return end;
};
