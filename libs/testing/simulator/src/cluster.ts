import { EventTypes } from '@perdure/correlation';
import { SliceMap, type Confirmation, type Envelope, type SliceName } from '@perdure/delivery';
import type { Guards } from '@perdure/guards';
import type { BundleSource, RealmHost } from '@perdure/history';
import { SLOTS, slotOf } from '@perdure/identity';
import { Disk } from './disk.js';
import type { Faults } from './faults.js';
import type { HandOuts } from './hand-outs.js';
import type { Kernel } from './kernel.js';
import { Node, type Owner } from './node.js';
import { SimProcess, unavailable } from './sim-process.js';

export interface ClusterOptions {
  readonly kernel: Kernel;
  readonly faults: Faults;
  readonly guards: Guards;
  readonly realms: (process: SimProcess) => RealmHost;
  readonly bundles: BundleSource;
  readonly handOuts: HandOuts;
}

const NODES = 3;
const PLACE_EVERY_MS = 400;
const RESTART_MS_MAX = 3_000;

/** Nodes, what they share, and who tells which of them should own what: a hint, which may be wrong (design §6). */
export class Cluster {
  readonly map: SliceMap;
  readonly disk: Disk;
  readonly eventTypes = new EventTypes({ scan: { keys: { k: 'data.k' }, routingKey: 'k' } });
  readonly #options: ClusterOptions;
  readonly #nodes: Node[] = [];
  #incarnations = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { kernel, guards, handOuts } = options;
    const counts = { history: kernel.random.int(1, 3), scheduler: kernel.random.int(1, 2), correlation: kernel.random.int(1, 2), compensation: 1 };
    this.map = new SliceMap({ counts, slotOf, slots: SLOTS, routing: this.eventTypes });
    this.disk = new Disk({ kernel, slices: this.map.slices, guards, handOuts });
    for (let index = 0; index < NODES; index++) this.#start(index);
    this.#place();
    this.#misbehave();
  }

  /** Asks somebody who believes to own the slice. Of one that dies meanwhile nothing is heard. */
  ask<T>(slice: SliceName, run: (owner: Owner) => Promise<T>): Promise<T> {
    const node = this.#believer(slice);
    if (!node) return Promise.reject(unavailable());
    return new Promise((resolve, reject) => {
      node.process.after(0, () => {
        const owner = node.owner(slice);
        if (owner) run(owner).then(resolve, reject);
        else reject(unavailable());
      });
    });
  }

  #believer(slice: SliceName): Node | undefined {
    const believers = this.#nodes.filter((node) => node.owner(slice));
    return believers.length === 0 ? undefined : this.#options.kernel.random.pick(believers);
  }

  envelope(envelope: Envelope): void {
    const node = this.#believer(envelope.destination);
    node?.process.after(0, () => node.owner(envelope.destination)?.receive(envelope));
  }

  confirmation(confirmation: Confirmation): void {
    for (const node of this.#nodes) node.process.after(0, () => node.owner(confirmation.source)?.confirm(confirmation));
  }

  /** A node's process is no more; it comes back in a while, with nothing in memory. */
  kill(process: SimProcess): void {
    const index = this.#nodes.findIndex((node) => node.process === process);
    if (index < 0 || !process.isAlive) return;
    process.die();
    this.#options.kernel.after(this.#options.kernel.random.int(10, RESTART_MS_MAX), () => this.#start(index));
  }

  get processes(): readonly SimProcess[] {
    return this.#nodes.map(({ process }) => process);
  }

  #start(index: number): void {
    const { kernel, faults, guards, realms, bundles } = this.#options;
    const process = new SimProcess(kernel, `node${index}.${++this.#incarnations}`, faults);
    this.#nodes[index] = new Node({ process, disk: this.disk, map: this.map, cluster: this, guards, realms, bundles });
    kernel.note(process.name, 'starts');
  }

  #place(): void {
    const { kernel } = this.#options;
    const alive = this.#nodes.filter(({ process }) => process.isAlive && process.stalledUntil <= kernel.now);
    for (const slice of this.map.slices) {
      if (alive.length > 0 && !alive.some((node) => node.owner(slice) ?? node.isAcquiring(slice))) kernel.random.pick(alive).acquire(slice);
    }
    kernel.after(PLACE_EVERY_MS, () => this.#place());
  }

  #misbehave(): void {
    const { kernel, faults } = this.#options;
    const { random } = kernel;
    const again = (everyMs: () => number, run: () => void): void => {
      const mean = everyMs();
      if (mean === Infinity) return;
      kernel.after(random.int(1, 2 * mean), () => {
        if (everyMs() === Infinity) return;
        run();
        again(everyMs, run);
      });
    };
    again(() => faults.crashEveryMs, () => this.kill(random.pick(this.processes)));
    again(() => faults.stallEveryMs, () => {
      const process = random.pick(this.processes);
      process.stalledUntil = kernel.now + random.int(1, faults.stallMaxMs);
      kernel.note(process.name, `stalls until ${process.stalledUntil}`);
    });
    again(() => faults.takeOverEveryMs, () => {
      const slice = random.pick(this.map.slices);
      // In order, or behind the back of the one who has it.
      if (random.chance(0.3)) for (const node of this.#nodes) node.release(slice);
      else random.pick(this.#nodes).acquire(slice);
    });
    again(() => faults.clockJumpEveryMs, () => {
      const process = random.pick(this.processes);
      const ms = random.chance(0.5) ? random.int(1, 60_000) : -random.int(1, 3_000);
      process.skewMs += ms;
      kernel.note(process.name, `its clock jumps by ${ms}`);
    });
    again(() => faults.outageEveryMs, () => {
      const slice = random.pick(this.map.slices);
      this.disk.outages.set(slice, kernel.now + random.int(1, faults.outageMaxMs));
      kernel.note('disk', `${slice} takes nothing until ${this.disk.outages.get(slice)}`);
    });
    again(() => faults.damageEveryMs, () => this.disk.damageSnapshot());
  }
}
