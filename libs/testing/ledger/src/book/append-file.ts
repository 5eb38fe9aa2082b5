import { closeSync, fdatasync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * A file of JSON lines.
 *
 * 1. `append` resolves once its line is on disk; lines of one moment share a sync.
 * 2. What a crash left of a line without its end was never acknowledged, and is cut off.
 */
export class AppendFile<Line> {
  readonly #fd: number;
  readonly lines: readonly Line[];
  #waiting: PromiseWithResolvers<void> | undefined;
  #syncing = false;

  constructor(path: string) {
    const text = readText(path);
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    this.lines = parseLines<Line>(whole);
    this.#fd = openSync(path, 'a');
    ftruncateSync(this.#fd, Buffer.byteLength(whole));
    fsyncSync(this.#fd);
    syncFolder(dirname(path));
  }

  append(line: Line): Promise<void> {
    writeSync(this.#fd, `${JSON.stringify(line)}\n`);
    this.#waiting ??= Promise.withResolvers();
    const { promise } = this.#waiting;
    if (!this.#syncing) this.#sync();
    return promise;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #sync(): void {
    this.#syncing = true;
    // After this turn, so that its other lines are in.
    setImmediate(() => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      fdatasync(this.#fd, (error) => {
        this.#syncing = false;
        if (error) waiting?.reject(error);
        else waiting?.resolve();
        if (this.#waiting) this.#sync();
      });
    });
  }
}

/** The lines of such a file, by whoever did not write it. */
export const readLines = <Line>(path: string): readonly Line[] => {
  const text = readText(path);
  return parseLines<Line>(text.slice(0, text.lastIndexOf('\n') + 1));
};

const parseLines = <Line>(text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
};

/** The file's name must be on disk too. */
const syncFolder = (path: string): void => {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
};
