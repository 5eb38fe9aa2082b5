import { createReadStream, existsSync, statSync } from 'node:fs';

const LOOK_EVERY_MS = 200;

/** Gives the lines that are added to a file, from its end as of now, until it is told to stop. */
export class LogFollower {
  readonly #path: string;
  readonly #line: (text: string) => void;
  readonly #ticker: NodeJS.Timeout;
  #offset: number;
  #rest = '';
  #isReading = false;

  constructor(path: string, line: (text: string) => void) {
    this.#path = path;
    this.#line = line;
    this.#offset = existsSync(path) ? statSync(path).size : 0;
    this.#ticker = setInterval(() => void this.#read(), LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#ticker);
  }

  async #read(): Promise<void> {
    if (this.#isReading || !existsSync(this.#path) || statSync(this.#path).size <= this.#offset) return;
    this.#isReading = true;
    try {
      for await (const chunk of createReadStream(this.#path, { start: this.#offset, encoding: 'utf8' })) {
        this.#offset += Buffer.byteLength(chunk as string);
        const lines = (this.#rest + (chunk as string)).split('\n');
        this.#rest = lines.pop() ?? '';
        for (const line of lines) this.#line(line);
      }
    } finally {
      this.#isReading = false;
    }
  }
}
