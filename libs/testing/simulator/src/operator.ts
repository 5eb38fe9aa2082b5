import type { ClientGroup } from './client.js';
import type { Disk } from './disk.js';
import type { Kernel } from './kernel.js';
import type { Program } from './program.js';

const RESUMES_MAX = 3;
const RESUME_AFTER_MS = 2_000;

/** Looks after suspended runs: resumes them, and in the end terminates what will not go on. Says so when a run is suspended for no good reason. */
export class Operator {
  readonly #kernel: Kernel;
  readonly #clients: ClientGroup;
  readonly #disk: Disk;
  readonly #harmed: ReadonlySet<string>;
  readonly #resumes = new Map<string, { count: number; nextMs: number }>();

  constructor({ kernel, clients, programs, disk }: { readonly kernel: Kernel; readonly clients: ClientGroup; readonly programs: readonly Program[]; readonly disk: Disk }) {
    this.#kernel = kernel;
    this.#clients = clients;
    this.#disk = disk;
    this.#harmed = new Set(programs.filter(({ operations }) => operations.some(({ kind }) => kind === 'heavy' || kind === 'deadly')).map(({ workflowId }) => workflowId));
  }

  look(): void {
    for (const { runs } of this.#disk.history.values()) {
      for (const { workflowId, runId, status, suspended } of runs.values()) {
        if (status !== 'suspended' || !suspended) continue;
        this.#clients.suspended.add(workflowId);
        if (suspended.kind === 'nondeterminism') this.#kernel.violate(this.#disk.damaged.has(runId) ? 'I7' : 'I5', `${workflowId} no longer replays:\n${suspended.diff}`);
        if (suspended.kind === 'refused' && !this.#harmed.has(workflowId)) this.#kernel.violate('I10', `${workflowId} was suspended, for ${suspended.inputId}: ${suspended.message}`);
        this.#resume(workflowId, runId);
      }
    }
  }

  #resume(workflowId: string, runId: string): void {
    const known = this.#resumes.get(runId) ?? { count: 0, nextMs: this.#kernel.now + RESUME_AFTER_MS };
    this.#resumes.set(runId, known);
    if (known.nextMs > this.#kernel.now) return;
    known.count += 1;
    known.nextMs = this.#kernel.now + 8 * RESUME_AFTER_MS;
    if (known.count > RESUMES_MAX && this.#harmed.has(workflowId)) this.#clients.terminate(workflowId);
    else this.#clients.resume(workflowId);
  }
}
