import type { Guards } from '@perdure/guards';
import { Cluster } from './cluster.js';
import type { Door } from './door.js';
import type { Faults } from './faults.js';
import { openGateway } from './gateway.js';
import type { HandOuts } from './hand-outs.js';
import type { Kernel } from './kernel.js';
import { MeshEvidence } from './mesh-evidence.js';
import type { Tenant } from './program.js';
import type { Shape, SuspendedRun } from './shape.js';
import { SimProcess } from './sim-process.js';
import { SimBundles, SimRealms } from './sim-realms.js';
import { deskOf } from './mesh-desk.js';
import type { Desk } from './worker.js';

export interface ShapeOptions {
  readonly kernel: Kernel;
  readonly faults: Faults;
  readonly guards: Guards;
  readonly handOuts: HandOuts;
}

const GATEWAYS = 2;

/** Five services on three nodes, two instances of ingestion. */
export class Mesh implements Shape {
  readonly evidence: MeshEvidence;
  readonly desks: readonly Desk[];
  readonly #cluster: Cluster;
  readonly #doors: Door[] = [];

  constructor({ kernel, faults, guards, handOuts }: ShapeOptions) {
    const cluster: Cluster = new Cluster({ kernel, faults, guards, handOuts, bundles: new SimBundles(), realms: (process) => new SimRealms(() => cluster.kill(process)) });
    this.#cluster = cluster;
    this.evidence = new MeshEvidence(cluster.disk);
    this.desks = cluster.map.slices.filter((slice) => slice.startsWith('scheduler/')).map((slice) => deskOf(cluster, slice, handOuts));
    for (let index = 0; index < GATEWAYS; index++) this.#open(index, { kernel, faults, life: 1 });
  }

  doors(): readonly Door[] {
    return this.#doors;
  }

  suspended(): readonly SuspendedRun[] {
    return [...this.#cluster.disk.history.values()].flatMap(({ runs }) => [...runs.values()].flatMap(({ tenant, workflowId, runId, status, suspended }) => (status === 'suspended' && suspended ? [{ tenant: tenant as Tenant, workflowId, runId, reason: suspended }] : [])));
  }

  #open(index: number, { kernel, faults, life }: { readonly kernel: Kernel; readonly faults: Faults; readonly life: number }): void {
    const process = new SimProcess(kernel, `ingestion${index}.${life}`, faults);
    this.#doors[index] = openGateway(process, this.#cluster);
    if (faults.crashEveryMs === Infinity) return;
    kernel.after(kernel.random.int(1, 3 * faults.crashEveryMs), () => {
      if (faults.crashEveryMs === Infinity) return;
      process.die();
      kernel.after(kernel.random.int(10, 1_000), () => this.#open(index, { kernel, faults, life: life + 1 }));
    });
  }
}
