import type { MessagePort } from 'node:worker_threads';
import { PortBus } from '@perdure/embedded';
import { jsonCopy } from '@perdure/delivery/testing';
import type { SimProcess } from './sim-process.js';

/** One end of the way to another shard's thread: slow, and forgetful and repetitive beyond what a real one is. */
class SimPort {
  readonly #process: SimProcess;
  #listener: (mail: unknown) => void = () => undefined;
  /** The other end. */
  peer: SimPort | undefined;

  constructor(process: SimProcess) {
    this.#process = process;
  }

  postMessage(mail: unknown): void {
    const { kernel, faults } = this.#process;
    if (kernel.random.chance(faults.lossP)) return;
    const copy = jsonCopy(mail);
    const arrive = (): void => this.peer?.hear(copy);
    this.#process.after(this.#process.latencyMs(), arrive);
    if (kernel.random.chance(faults.repeatP)) this.#process.after(kernel.random.int(1, 5_000), arrive);
  }

  hear(mail: unknown): void {
    this.#listener(mail);
  }

  on(_event: string, listener: (mail: unknown) => void): void {
    this.#listener = listener;
  }

  close(): void {
    this.#listener = () => undefined;
  }
}

/** A bus for each of the shards of one process. */
export function connect(process: SimProcess, shards: number): readonly PortBus[] {
  const ports = Array.from({ length: shards }, () => new Map<number, SimPort>());
  for (let from = 0; from < shards; from++) {
    for (let to = from + 1; to < shards; to++) {
      const [near, far] = [new SimPort(process), new SimPort(process)];
      [near.peer, far.peer] = [far, near];
      ports[from]!.set(to, near);
      ports[to]!.set(from, far);
    }
  }
  return ports.map((each) => new PortBus(each as unknown as ReadonlyMap<number, MessagePort>));
}
