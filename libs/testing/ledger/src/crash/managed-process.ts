import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Disturbable, Role } from './disturbable.js';

export interface ProcessOptions {
  readonly name: string;
  readonly role: Role;
  /** Arguments of Node. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where its output goes. */
  readonly log: string;
  readonly isReady?: () => Promise<boolean>;
  /** It may end by itself and is then started again; for any other that is a fault. */
  readonly mayDie?: boolean;
  /** Not to be disturbed, but for what it does to itself. */
  readonly sheltered?: boolean;
}

const STOP_MS_MAX = 60_000;

/** Every process that this one has started and that has not ended: none outlives it. */
const alive = new Set<ChildProcess>();
process.on('exit', () => alive.forEach((child) => child.kill('SIGKILL')));

/**
 * A process that can be killed, held and started again at any moment.
 *
 * 1. At most one incarnation lives; `kill` returns when it has ended, `start` when the next one is ready.
 * 2. An end that nobody asked for is noted as a fault, or mended where the process may die.
 */
export class ManagedProcess implements Disturbable {
  readonly options: ProcessOptions;
  readonly faults: string[] = [];
  /** How often it was started. */
  starts = 0;
  #child: ChildProcess | undefined;
  #wanted = false;
  #held = false;

  constructor(options: ProcessOptions) {
    this.options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    this.#wanted = true;
    this.#held = false;
    const child = this.#spawn();
    while (this.#child === child && this.options.isReady && !(await this.options.isReady().catch(() => false))) await pause(20);
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Asks it to end, as an operator does. */
  async stop(): Promise<void> {
    this.resume();
    const patience = setTimeout(() => {
      this.faults.push(`${this.options.name} had not ended ${STOP_MS_MAX} ms after it was asked to`);
      this.#child?.kill('SIGKILL');
    }, STOP_MS_MAX);
    await this.#end('SIGTERM');
    clearTimeout(patience);
  }

  /** Begins to start and is killed before it is ready, or soon after. */
  async stumble(afterMs: number): Promise<void> {
    this.#spawn();
    await pause(afterMs);
    await this.kill();
  }

  /** It stands still, with all its connections. */
  hold(): void {
    this.#held = true;
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    if (this.#held) this.#child?.kill('SIGCONT');
    this.#held = false;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#wanted = false;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  #spawn(): ChildProcess {
    const { args, env, log } = this.options;
    const out = openSync(log, 'a');
    const child = spawn(process.execPath, args, { env: { ...env }, stdio: ['ignore', out, out] });
    closeSync(out);
    alive.add(child);
    child.once('exit', (code, signal) => this.#ended(child, `${code ?? signal}`));
    this.#child = child;
    this.starts++;
    return child;
  }

  #ended(child: ChildProcess, how: string): void {
    alive.delete(child);
    if (this.#child !== child || !this.#wanted) return;
    if (!this.options.mayDie) this.faults.push(`${this.options.name} ended by itself with ${how}; its output is in ${this.options.log}`);
    this.#spawn();
  }
}
