import { Clock, type CancelTimer } from '@perdure/clock';
import { PerdureError } from '@perdure/contract';
import type { Faults } from './faults.js';
import type { Kernel } from './kernel.js';

/** When the simulated world began, epoch milliseconds. */
export const EPOCH_MS = 1_700_000_000_000;

const TIMEOUT_MS = 2_000;

/**
 * A process of the simulated world: it may stall, and it may die. What it had begun then goes on outside of it (a commit lands, a message
 * arrives), but nothing comes back to it.
 */
export class SimProcess {
  readonly name: string;
  readonly kernel: Kernel;
  readonly faults: Faults;
  readonly clock: Clock;
  isAlive = true;
  stalledUntil = 0;
  /** Of its clock, against the world's. */
  skewMs: number;

  constructor(kernel: Kernel, name: string, faults: Faults) {
    this.kernel = kernel;
    this.name = name;
    this.faults = faults;
    this.skewMs = faults.skewMaxMs === 0 ? 0 : kernel.random.int(-faults.skewMaxMs, faults.skewMaxMs);
    this.clock = new ProcessClock(this);
  }

  die(): void {
    this.isAlive = false;
    this.kernel.note(this.name, 'dies');
  }

  after(ms: number, run: () => void): CancelTimer {
    let isCancelled = false;
    const cancel = this.kernel.after(ms, () => this.#run(() => void (isCancelled || run())));
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  readonly defer = (run: () => void): void => void this.after(0, run);

  /** For a port that answers at once: a dead process hears nothing, and now and then the answer is a failure. */
  async gate(failP = 0, failure: () => Error = unavailable): Promise<void> {
    if (!this.isAlive) await new Promise(() => undefined);
    if (failP > 0 && this.kernel.random.chance(failP)) throw failure();
  }

  latencyMs(): number {
    const { random } = this.kernel;
    return random.chance(this.faults.slowP) ? random.int(1, this.faults.slowMaxMs) : random.int(1, 5);
  }

  /** Something is asked over the network: the request may be lost, and so may the answer, after the work was done. */
  call<T>(execute: () => T | Promise<T>, timeoutMs = TIMEOUT_MS): Promise<T> {
    const { kernel, faults } = this;
    return new Promise<T>((resolve, reject) => {
      if (!this.isAlive) return;
      const stop = this.after(timeoutMs, () => reject(unavailable()));
      if (kernel.random.chance(faults.lossP)) return;
      kernel.after(this.latencyMs(), () => {
        const answer = (settle: () => void): void => {
          if (kernel.random.chance(faults.lateAckP)) return;
          this.after(this.latencyMs(), () => {
            stop();
            settle();
          });
        };
        void this.#execute(execute).then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error as Error)),
        );
      });
    });
  }

  async #execute<T>(execute: () => T | Promise<T>): Promise<T> {
    return execute();
  }

  #run(run: () => void): void {
    if (!this.isAlive) return;
    const { now } = this.kernel;
    if (this.stalledUntil > now) this.kernel.after(this.stalledUntil - now, () => this.#run(run));
    else run();
  }
}

export const unavailable = (): PerdureError => new PerdureError('unavailable', 'Nobody answers.');

/** As the machine's own: it may jump, but within one process it never runs backwards, and its alarms go by elapsed time. */
class ProcessClock extends Clock {
  readonly #process: SimProcess;
  #last = 0;

  constructor(process: SimProcess) {
    super();
    this.#process = process;
  }

  override now(): number {
    this.#last = Math.max(this.#last, EPOCH_MS + this.#process.kernel.now + this.#process.skewMs);
    return this.#last;
  }

  override at(atMs: number, run: () => void): CancelTimer {
    return this.#process.after(Math.max(0, atMs - this.now()), run);
  }
}
