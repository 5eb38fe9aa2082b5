import { nameOf, type ClientGroup, type Workflow } from './client.js';
import type { Kernel } from './kernel.js';
import { isHarmed, type Program } from './program.js';
import type { Shape } from './shape.js';

const RESUMES_MAX = 3;
const RESUME_AFTER_MS = 2_000;

/** Looks after suspended runs: resumes them, and in the end terminates what will not go on. Says so when a run is suspended for no good reason. */
export class Operator {
  readonly #kernel: Kernel;
  readonly #clients: ClientGroup;
  readonly #shape: Shape;
  readonly #harmed: ReadonlySet<string>;
  readonly #resumes = new Map<string, { count: number; nextMs: number }>();

  constructor({ kernel, clients, programs, shape }: { readonly kernel: Kernel; readonly clients: ClientGroup; readonly programs: readonly Program[]; readonly shape: Shape }) {
    this.#kernel = kernel;
    this.#clients = clients;
    this.#shape = shape;
    this.#harmed = new Set(programs.filter(isHarmed).map(nameOf));
  }

  look(): void {
    for (const { runId, reason, ...workflow } of this.#shape.suspended()) {
      const name = nameOf(workflow);
      this.#clients.suspended.add(name);
      if (reason.kind === 'nondeterminism') this.#kernel.violate(this.#shape.evidence.damaged.has(runId) ? 'I7' : 'I5', `${name} no longer replays:\n${reason.diff}`);
      if (reason.kind === 'refused' && !this.#harmed.has(name)) this.#kernel.violate('I10', `${name} was suspended, for ${reason.inputId}: ${reason.message}`);
      this.#resume(workflow, runId);
    }
  }

  #resume(workflow: Workflow, runId: string): void {
    const known = this.#resumes.get(runId) ?? { count: 0, nextMs: this.#kernel.now + RESUME_AFTER_MS };
    this.#resumes.set(runId, known);
    if (known.nextMs > this.#kernel.now) return;
    known.count += 1;
    known.nextMs = this.#kernel.now + 8 * RESUME_AFTER_MS;
    if (known.count > RESUMES_MAX && this.#harmed.has(nameOf(workflow))) this.#clients.terminate(workflow);
    else this.#clients.resume(workflow);
  }
}
