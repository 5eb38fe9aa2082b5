/** Tells a person who waits what is being done and for how long already. */
export abstract class Progress {
  abstract step<T>(what: string, work: () => Promise<T>): Promise<T>;
  abstract note(line: string): void;
}

/** Where lines go: standard error, which a script's output does not mix with. */
export interface LineSink {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const TICK_MS = 1000;

/** On a terminal one line that counts the seconds; elsewhere a line at the start and one at the end. */
export class LineProgress extends Progress {
  readonly #sink: LineSink;
  readonly #now: () => number;

  constructor(sink: LineSink = process.stderr, now: () => number = () => performance.now()) {
    super();
    this.#sink = sink;
    this.#now = now;
  }

  override note(line: string): void {
    this.#sink.write(`perdure: ${line}\n`);
  }

  override async step<T>(what: string, work: () => Promise<T>): Promise<T> {
    const begun = this.#now();
    const seconds = (): string => `${Math.round((this.#now() - begun) / 1000)} s`;
    const live = this.#sink.isTTY === true;
    this.#sink.write(live ? `perdure: ${what} …` : `perdure: ${what} …\n`);
    const ticker = live ? setInterval(() => this.#sink.write(`\r\x1b[Kperdure: ${what} … ${seconds()}`), TICK_MS) : undefined;
    let how = 'failed after';
    try {
      const result = await work();
      how = 'done in';
      return result;
    } finally {
      clearInterval(ticker);
      this.#sink.write(`${live ? '\r\x1b[K' : ''}perdure: ${what}: ${how} ${seconds()}\n`);
    }
  }
}

export class SilentProgress extends Progress {
  override note(): void {}

  override step<T>(_what: string, work: () => Promise<T>): Promise<T> {
    return work();
  }
}
