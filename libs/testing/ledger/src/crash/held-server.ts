import { setTimeout as pause } from 'node:timers/promises';
import type { ServerProcess } from '@perdure/servers';
import type { Disturbable, Role } from './disturbable.js';

const STOP_MS_MAX = 60_000;
const START_TRIES_MAX = 60;
const START_AGAIN_MS = 500;

/** A server of the mesh launcher's, as an attack sees it. */
export class HeldServer implements Disturbable {
  readonly options: { readonly name: string; readonly role: Role };
  readonly faults: string[] = [];
  starts = 1;
  readonly #server: ServerProcess;
  #isWanted = true;

  readonly #mayDie: boolean;

  /** `mayDie`: it may end by itself and is then started again, as an orchestrator does. */
  constructor(server: ServerProcess, role: Role, { mayDie = false }: { readonly mayDie?: boolean } = {}) {
    this.#server = server;
    this.#mayDie = mayDie;
    this.options = { name: server.name, role };
    this.#watch();
  }

  get pid(): number | undefined {
    return this.#server.pid;
  }

  /** As an orchestrator does: one that cannot start, since what it needs is away, is started again. */
  async start(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        this.starts += 1;
        await this.#server.restart();
        this.#isWanted = true;
        return this.#watch();
      } catch (error) {
        if (tries >= START_TRIES_MAX) throw error;
        await pause(START_AGAIN_MS);
      }
    }
  }

  async kill(): Promise<void> {
    this.#isWanted = false;
    await this.#server.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.#isWanted = false;
    const patience = setTimeout(() => {
      this.faults.push(`${this.options.name} had not ended ${STOP_MS_MAX} ms after it was asked to`);
      void this.#server.kill('SIGKILL');
    }, STOP_MS_MAX);
    await this.#server.kill('SIGTERM');
    clearTimeout(patience);
  }

  async stumble(afterMs: number): Promise<void> {
    // It is killed while it starts: that it did not start is what was wanted.
    const starting = this.#server.restart().catch(() => undefined);
    await pause(afterMs);
    await this.kill();
    await starting;
    await this.kill();
  }

  hold(): void {
    if (this.#server.pid !== undefined) this.#server.pause();
  }

  resume(): void {
    this.#server.resume();
  }

  #watch(): void {
    const ended = this.#server.exited;
    void ended.then(({ code, signal }) => {
      if (!this.#isWanted || this.#server.exited !== ended) return;
      if (!this.#mayDie) this.faults.push(`${this.options.name} ended by itself with ${code ?? signal}; its log is ${this.#server.logFile}`);
      void this.start().catch((error: unknown) => this.faults.push(`${this.options.name} did not start again: ${String(error)}`));
    });
  }
}
