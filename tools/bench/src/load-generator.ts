import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Children } from './children.js';
import type { GeneratorMessage, LoadJob, LoadResult } from './load.js';
import { untilSaysReady } from './systems/ports.js';

const GENERATOR = fileURLToPath(new URL('./generator.js', import.meta.url));

export interface Marks {
  readonly onMeasuring?: () => void;
  readonly onMeasured?: () => void;
}

/** The load generator, in a process of its own. One job at a time. */
export class LoadGenerator {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(children: Children): Promise<LoadGenerator> {
    const child = children.fork(GENERATOR, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await untilSaysReady(child);
    return new LoadGenerator(child);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  run(job: LoadJob, { onMeasuring, onMeasured }: Marks = {}): Promise<LoadResult> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        child.off('message', onMessage);
        child.off('exit', onExit);
      };
      const onExit = (code: number | null): void => reject(new Error(`the load generator ended with ${code}`));
      const onMessage = (message: GeneratorMessage): void => {
        if (message.kind === 'measuring') onMeasuring?.();
        if (message.kind === 'measured') onMeasured?.();
        if (message.kind !== 'done') return;
        done();
        resolve(message.result);
      };
      child.on('message', onMessage);
      child.once('exit', onExit);
      child.send(job);
    });
  }
}
