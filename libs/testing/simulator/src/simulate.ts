import { ALL_GUARDS, type Guards } from '@perdure/guards';
import { ClientGroup, nameOf, type Workflow } from './client.js';
import { EmbeddedServer } from './embedded-server.js';
import { calm, drawFaults, type Faults } from './faults.js';
import { HandOuts } from './hand-outs.js';
import { Kernel } from './kernel.js';
import { Mesh, type ShapeOptions } from './mesh.js';
import { Operator } from './operator.js';
import { judge } from './oracles.js';
import { drawPrograms, TENANTS, type Program } from './program.js';
import { Random } from './random.js';
import type { Shape } from './shape.js';
import { SimProcess } from './sim-process.js';
import { Tokens } from './tokens.js';
import type { Violation } from './violation.js';
import { Worker, type WorkerOptions } from './worker.js';

/** `mesh`: each service owns slices of its own, over logs, stores and a bus. `embedded`: a shard in one file. */
export const SHAPES = ['mesh', 'embedded'] as const;
export type ShapeName = (typeof SHAPES)[number];

export interface SimulationOptions {
  readonly seed: number;
  readonly shape?: ShapeName;
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

/** One life of a deployment, decided by its seed: programs, faults, and all that comes of them. */
export async function simulate({ seed, shape: name = 'mesh', guards = ALL_GUARDS }: SimulationOptions): Promise<Report> {
  // Nothing in a seed waits for the real event loop, whose turn is here.
  await new Promise((resolve) => setImmediate(resolve));
  const kernel = new Kernel(new Random(seed));
  const faults = drawFaults(kernel.random);
  const drawn = { ...faults };
  const done = new Set<string>();
  const handOuts = new HandOuts(kernel);
  const shape = await open(name, { kernel, faults, guards, handOuts });
  const clients = new ClientGroup(new SimProcess(kernel, 'client', faults), () => shape.doors());
  const programs = drawPrograms(kernel.random);
  const parts = { kernel, faults, done: ({ idempotencyKey }: { readonly idempotencyKey: string }) => void done.add(idempotencyKey), outside: new SimProcess(kernel, 'outside', faults), tokens: new Tokens(kernel) };
  for (const tenant of TENANTS.filter((each) => programs.some((program) => program.tenant === each))) for (const [index, desk] of shape.desks.entries()) employ({ ...parts, tenant, desk, index });
  for (const program of programs) clients.run(program);
  for (const workflow of strangersOf(programs)) clients.pry(workflow);
  kernel.after(FAULTS_MS, () => {
    calm(faults);
    kernel.note('kernel', 'faults stop');
  });

  const operator = new Operator({ kernel, clients, programs, shape });
  let isOver = false;
  const look = async (): Promise<void> => {
    operator.look();
    isOver = kernel.now > FAULTS_MS && clients.busy === 0 && (await shape.evidence.isAtRest());
    kernel.after(LOOK_EVERY_MS, () => void look());
  };
  kernel.after(LOOK_EVERY_MS, () => void look());
  await kernel.run({ untilMs: DEADLINE_MS, eventsMax: EVENTS_MAX, until: () => isOver, settle: () => shape.settle?.() });
  const seen = [...kernel.violations];
  const stuck = seen.length > 0 ? [] : [...(await shape.evidence.leftovers()), ...(clients.busy > 0 ? [{ invariant: 'I1', what: `${clients.busy} requests were never answered` }] : [])];
  // What an oracle saw on the way is why the world stopped; what is not yet there then is no finding.
  const judged = seen.length > 0 ? [] : await judge(shape.evidence, { programs, acks: clients.acks, published: clients.published, done, handedOutMs: hasTrueClocks(drawn) ? handOuts.lastMs : undefined });
  const violations = [...seen, ...judged, ...stuck];
  for (const { invariant, what } of violations.slice(seen.length)) kernel.note('ORACLE', `${invariant}: ${what}`);
  shape.close?.();
  return { seed, violations, trace: kernel.trace, events: kernel.events, faults: drawn };
}

const open = async (name: ShapeName, options: ShapeOptions): Promise<Shape> => (name === 'mesh' ? new Mesh(options) : EmbeddedServer.open(options));

/** A tenant's workers at one desk: two, and one for what has crashed others. */
function employ({ index, ...parts }: Omit<WorkerOptions, 'name'> & { readonly index: number }): void {
  for (const each of ['a', 'b']) new Worker({ ...parts, name: `worker-${parts.tenant}-${each}-${index}` });
  new Worker({ ...parts, name: `surgeon-${parts.tenant}-${index}`, isSurgical: true });
}

/** Workflows that one tenant has, and another one has not. */
const strangersOf = (programs: readonly Program[]): readonly Workflow[] => {
  const tenants = TENANTS.filter((tenant) => programs.some((program) => program.tenant === tenant));
  const there = new Set(programs.map(nameOf));
  return programs.flatMap(({ workflowId }) => tenants.map((tenant) => ({ tenant, workflowId }))).filter((workflow) => !there.has(nameOf(workflow)));
};

/** What is measured by one process's clock holds for all. */
const hasTrueClocks = ({ skewMaxMs, clockJumpEveryMs }: Faults): boolean => skewMaxMs === 0 && clockJumpEveryMs === Infinity;
