import { fork, spawn, type ChildProcess, type ForkOptions, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';

/**
 * Every process that the harness starts. They end with it, by their pid, whatever ends it: the last line, a failure, Ctrl-C.
 * Forked ones end by themselves too, when their channel closes.
 */
export class Children {
  readonly #running = new Set<ChildProcess>();

  constructor() {
    process.on('exit', () => this.killAll());
    for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]] as const) process.on(signal, () => process.exit(code));
  }

  spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    return this.#keep(spawn(command, args, options));
  }

  fork(module: string, args: readonly string[], options: ForkOptions): ChildProcess {
    return this.#keep(fork(module, args, { serialization: 'advanced', ...options }));
  }

  async end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  killAll(): void {
    for (const child of this.#running) child.kill('SIGKILL');
  }

  #keep(child: ChildProcess): ChildProcess {
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    return child;
  }
}
