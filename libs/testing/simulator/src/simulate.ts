import { ALL_GUARDS, type Guards } from '@perdure/guards';
import { ClientGroup } from './client.js';
import { Cluster } from './cluster.js';
import { calm, drawFaults, type Faults } from './faults.js';
import { Gateway } from './gateway.js';
import { HandOuts } from './hand-outs.js';
import { Kernel } from './kernel.js';
import { MeshEvidence } from './mesh-evidence.js';
import { Operator } from './operator.js';
import { judge } from './oracles.js';
import { drawPrograms } from './program.js';
import { Random } from './random.js';
import { SimProcess } from './sim-process.js';
import { SimBundles, SimRealms } from './sim-realms.js';
import type { Violation } from './violation.js';
import { deskOf, Worker } from './worker.js';

export interface SimulationOptions {
  readonly seed: number;
  readonly guards?: Guards;
}

export interface Report {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly trace: readonly string[];
  readonly events: number;
  readonly faults: Faults;
}

/** Faults stop after so long; then all must come to its end. */
const FAULTS_MS = 40_000;
const DEADLINE_MS = 2 * 3_600_000;
const EVENTS_MAX = 400_000;
const LOOK_EVERY_MS = 1_000;
const GATEWAYS = 2;

/** One life of the mesh, decided by its seed: programs, faults, and all that comes of them. */
export async function simulate({ seed, guards = ALL_GUARDS }: SimulationOptions): Promise<Report> {
  const kernel = new Kernel(new Random(seed));
  const faults = drawFaults(kernel.random);
  const drawn = { ...faults };
  const done = new Set<string>();
  const cluster: Cluster = new Cluster({ kernel, faults, guards, bundles: new SimBundles(), realms: (process) => new SimRealms(() => cluster.kill(process)) });
  const handOuts = new HandOuts(kernel);
  for (const slice of cluster.map.slices.filter((each) => each.startsWith('scheduler/'))) {
    const parts = { kernel, faults, desk: deskOf(cluster, slice, handOuts), done: ({ idempotencyKey }: { readonly idempotencyKey: string }) => void done.add(idempotencyKey) };
    for (const name of ['a', 'b']) new Worker({ ...parts, name: `worker-${name}-${slice.at(-1)}` });
    new Worker({ ...parts, name: `surgeon-${slice.at(-1)}`, isSurgical: true });
  }
  const gateways = startGateways(kernel, faults, cluster);
  const clients = new ClientGroup(new SimProcess(kernel, 'client', faults), () => gateways);
  const programs = drawPrograms(kernel.random, kernel.random.int(1, 5));
  for (const program of programs) clients.run(program);
  const evidence = new MeshEvidence(cluster.disk);
  kernel.after(FAULTS_MS, () => {
    calm(faults);
    kernel.note('kernel', 'faults stop');
  });

  const operator = new Operator({ kernel, clients, programs, disk: cluster.disk });
  let isOver = false;
  const look = async (): Promise<void> => {
    operator.look();
    isOver = kernel.now > FAULTS_MS && clients.busy === 0 && (await evidence.leftovers()).length === 0;
    kernel.after(LOOK_EVERY_MS, () => void look());
  };
  kernel.after(LOOK_EVERY_MS, () => void look());
  const isQuiet = await kernel.run({ untilMs: DEADLINE_MS, eventsMax: EVENTS_MAX, until: () => isOver });
  const stuck = isQuiet || kernel.violations.length > 0 ? [] : [...(await evidence.leftovers()), ...(clients.busy > 0 ? [{ invariant: 'I1', what: `${clients.busy} requests were never answered` }] : [])];
  const judged = await judge(evidence, { programs, acks: clients.acks, published: clients.published, done });
  // What an oracle saw on the way is why the world stopped; what is not yet there then is no finding.
  const violations = [...kernel.violations, ...(kernel.violations.length > 0 ? [] : judged), ...stuck];
  for (const { invariant, what } of violations.slice(kernel.violations.length)) kernel.note('ORACLE', `${invariant}: ${what}`);
  return { seed, violations, trace: kernel.trace, events: kernel.events, faults: drawn };
}

function startGateways(kernel: Kernel, faults: Faults, cluster: Cluster): Gateway[] {
  const gateways: Gateway[] = [];
  const start = (index: number, life: number): void => {
    const process = new SimProcess(kernel, `ingestion${index}.${life}`, faults);
    gateways[index] = new Gateway(process, cluster);
    if (faults.crashEveryMs === Infinity) return;
    kernel.after(kernel.random.int(1, 3 * faults.crashEveryMs), () => {
      if (faults.crashEveryMs === Infinity) return;
      process.die();
      kernel.after(kernel.random.int(10, 1_000), () => start(index, life + 1));
    });
  };
  for (let index = 0; index < GATEWAYS; index++) start(index, 1);
  return gateways;
}
