import { PerdureError, toPerdureError } from '@perdure/contract';
import { isStepDown } from './commit-batch.js';

/** Waits until the log is consumed as far as it was when it was asked. */
export interface Reader {
  readonly end: number;
  readonly run: () => Promise<void>;
  readonly reject: (error: PerdureError) => void;
}

export const notOwner = (error: PerdureError): PerdureError => (error.retryable ? error : new PerdureError('not-owner', error.message, { cause: error }));

/** Those who wait to read what a slice has committed. */
export class Readers {
  #waiting: Reader[] = [];

  add(reader: Reader): void {
    this.#waiting.push(reader);
  }

  /** Records before `offset` are consumed. @throws StepDown */
  async serve(offset: number): Promise<void> {
    const ready = this.#waiting.filter(({ end }) => end <= offset);
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter((reader) => !ready.includes(reader));
    for (const { run, reject } of ready) {
      try {
        await run();
      } catch (thrown) {
        reject(notOwner(toPerdureError(thrown)));
        if (isStepDown(thrown)) throw thrown;
      }
    }
  }

  reject(error: PerdureError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
