import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Bundle } from '@perdure/bundler';
import type { FromRestorer, RestoredStep, StepDone, ToRestorer } from './restorer-wire.js';

/** The compiled program, also when this file is run from its source. */
const PROGRAM = join(import.meta.dirname, '..', 'dist', 'restorer-process.js');

/** A process of its own that restores snapshots: one for all programs of a run, for a thousand starts would take longer than the proof. */
export class Restorer {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  static async start({ hash, code }: Bundle, snapshotKey: Uint8Array): Promise<Restorer> {
    const restorer = new Restorer(fork(PROGRAM, [], { serialization: 'advanced', execArgv: [] }));
    await restorer.#ask({ kind: 'bundle', hash, code, snapshotKey });
    return restorer;
  }

  async restore(bundle: string, steps: readonly RestoredStep[]): Promise<readonly StepDone[]> {
    const answer = await this.#ask({ kind: 'steps', bundle, steps });
    if (answer.kind !== 'done') throw new Error('the restorer answered out of turn');
    return answer.steps;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  async #ask(message: ToRestorer): Promise<FromRestorer> {
    const answered = new Promise<FromRestorer>((resolve, reject) => {
      const gone = (code: number | null): void => reject(new Error(`the restorer ended with ${code}`));
      this.#child.once('exit', gone);
      this.#child.once('message', (answer) => {
        this.#child.off('exit', gone);
        resolve(answer as FromRestorer);
      });
    });
    this.#child.send(message);
    return answered;
  }
}
