import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as after } from 'node:timers/promises';
import { lastLine, tailOf } from '../run.js';
import { ServerError } from '../server-error.js';
import { guard } from './guard.js';
import { SERVER_LIMITS, type ServerLimits } from './limits.js';
import { requireFreePort } from './ports.js';
import { holdTree, killTree, signal } from './process-tree.js';

export interface ServerSpec {
  /** What people call it, also in its log's name. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
  /** Its data and log; the working folder. */
  readonly folder: string;
  /** The folder goes when the server is stopped. */
  readonly temporary: boolean;
  readonly logFile: string;
  /** What a client connects to: a URL, or host:port. */
  readonly address: string;
  readonly port: number;
  /** Every port it listens on, the main one included. */
  readonly ports: readonly number[];
  /** Rejects until the server answers as it does to a client. */
  answers(): Promise<void>;
  /** Asks it to end soon: SIGTERM, but for PostgreSQL, which then waits for its clients. */
  readonly stopSignal?: NodeJS.Signals;
  readonly limits?: Partial<ServerLimits>;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * A real server that can be killed, held and started again at any moment.
 *
 * 1. At most one incarnation lives; each starts on the same ports and data.
 * 2. `start` and `restart` return when it answers, `stop` and `kill` when it has ended.
 * 3. It ends with this process, however that ends.
 */
export class ServerProcess {
  readonly #spec: ServerSpec;
  readonly #limits: ServerLimits;
  #child: ChildProcess | undefined;
  #exit: Promise<Exit> = Promise.resolve({ code: 0, signal: null });
  #held: readonly number[] = [];
  /** Where the present incarnation's log begins: what earlier ones said explains nothing of it. Bytes. */
  #logFrom = 0;

  private constructor(spec: ServerSpec) {
    this.#spec = spec;
    this.#limits = { ...SERVER_LIMITS, ...spec.limits };
  }

  static async start(spec: ServerSpec): Promise<ServerProcess> {
    const server = new ServerProcess(spec);
    await server.#start().catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
    return server;
  }

  get name(): string {
    return this.#spec.name;
  }

  get address(): string {
    return this.#spec.address;
  }

  get port(): number {
    return this.#spec.port;
  }

  get ports(): readonly number[] {
    return this.#spec.ports;
  }

  get folder(): string {
    return this.#spec.folder;
  }

  get logFile(): string {
    return this.#spec.logFile;
  }

  /** `undefined` while it is down. */
  get pid(): number | undefined {
    return this.#isAlive() ? this.#child?.pid : undefined;
  }

  /** How the present (or last) incarnation ends. */
  get exited(): Promise<Exit> {
    return this.#exit;
  }

  /** Ends it with a signal, with all it started; waits for the end. Its data stay. */
  async kill(name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const pid = this.pid;
    if (pid === undefined) return;
    if (name === 'SIGKILL') await killTree(pid);
    else signal(pid, name);
    this.resume();
    await this.#exit;
  }

  /** Returns when it stands still with all it started; its connections stay open. */
  async pause(): Promise<void> {
    const pid = this.pid;
    if (pid === undefined) throw new ServerError(`${this.name} is down: it cannot be paused`);
    this.#held = await holdTree(pid);
  }

  resume(): void {
    for (const pid of this.#held) signal(pid, 'SIGCONT');
    this.#held = [];
  }

  /** Starts it again on the same ports and data, after stopping it if it is up. */
  async restart(): Promise<void> {
    await this.#end();
    await this.#start();
  }

  /** Ends it for good: asks, then kills; what was temporary is removed. */
  async stop(): Promise<void> {
    await this.#end();
    if (this.#spec.temporary) await rm(this.#spec.folder, { recursive: true, force: true });
  }

  #isAlive(): boolean {
    return this.#child !== undefined && this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async #end(): Promise<void> {
    if (!this.#isAlive()) return;
    const patience = setTimeout(() => void this.kill('SIGKILL'), this.#limits.stopMsMax);
    await this.kill(this.#spec.stopSignal ?? 'SIGTERM');
    clearTimeout(patience);
  }

  async #start(): Promise<void> {
    for (const port of this.#spec.ports) await requireFreePort(this.name, port);
    const child = this.#spawn();
    await this.#untilItAnswers(child);
  }

  #spawn(): ChildProcess {
    const { name, command, args, env, uid, gid, folder, temporary, logFile, stopSignal = 'SIGTERM' } = this.#spec;
    const log = openSync(logFile, 'a');
    this.#logFrom = fstatSync(log).size;
    const user = { ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) };
    // In a session of its own: a terminal's Ctrl-C goes to the launcher alone, which ends its servers in order.
    const child = spawn(command, args, { cwd: folder, env: { ...process.env, ...env }, ...user, stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    this.#child = child;
    this.#held = [];
    if (child.pid === undefined) {
      this.#exit = once(child, 'error').then(([error]) => Promise.reject(new ServerError(`${name} could not be run: ${(error as Error).message}`)));
      this.#exit.catch(() => undefined); // told by #untilItAnswers
      return child;
    }
    const release = guard({ pid: child.pid, stopSignal, temporaryFolder: temporary ? folder : undefined });
    this.#exit = once(child, 'exit').then(([code, signal]) => {
      release();
      return { code, signal } as Exit;
    });
    return child;
  }

  async #untilItAnswers(child: ChildProcess): Promise<void> {
    if (child.pid === undefined) await this.#exit;
    const deadline = performance.now() + this.#limits.startMsMax;
    let why = 'it was not asked';
    while (performance.now() < deadline) {
      const answered = await this.#spec.answers().then(() => true, (error: unknown) => {
        why = reasonOf(error as Error);
        return false;
      });
      if (!this.#isAlive()) throw await this.#diedAtStart();
      if (answered) return;
      await Promise.race([after(this.#limits.betweenProbesMs), this.#exit]);
    }
    // A temporary log goes with its folder; its end is in the tail.
    const log = this.#spec.temporary ? '' : `; its log is ${this.logFile}`;
    throw new ServerError(`${this.name} did not answer within ${this.#limits.startMsMax / 1000} s (${why})${log}`, { tail: this.#logTail() });
  }

  async #diedAtStart(): Promise<ServerError> {
    const { code, signal } = await this.#exit;
    const tail = this.#logTail();
    return new ServerError(`${this.name} ended with ${signal ?? `code ${code}`} at its start: ${lastLine(tail)}`, { tail });
  }

  #logTail(): string {
    return tailOf(readFileSync(this.logFile).subarray(this.#logFrom).toString());
  }
}

/** "fetch failed" says nothing; its cause does. */
const reasonOf = ({ message, cause }: Error): string => (cause as Error | undefined)?.message ?? message;
