import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describeFindings, verifyFolder } from '@perdure/verify';
import { FRAGILE_QUEUE } from '../interpreter/activity-options.js';
import { Draws } from '../program/draws.js';
import type { WorkerSettings } from '../worker/worker-settings.js';
import { CuttingProxy } from './cutting-proxy.js';
import { Deployment } from './deployment.js';
import { freePort } from './free-port.js';
import { ManagedProcess, type ProcessOptions } from './managed-process.js';
import { undelivered } from './undelivered.js';

export interface StandaloneOptions {
  /** The server's built `main.js`. */
  readonly main: string;
  readonly folder: string;
  readonly seed: number;
  /** Threads of the server, each with a file of its own. */
  readonly shards: number;
  readonly workers: number;
  /** Workers with one slot, for activities that kill their worker. */
  readonly fragileWorkers: number;
  /** A worker for poisoned tasks too: needed where the same attempt may crash three times. */
  readonly surgical: boolean;
}

const programOf = (path: string): string => fileURLToPath(new URL(`../../dist/${path}`, import.meta.url));
const WORKER = programOf('worker/main.js');
const LEDGER = programOf('book/main.js');
const SLOTS = 40;
const COMPLAINTS_SHOWN = 20;
const TENANT = 'demo';

/** One server process over one data folder; worker processes and the ledger beside it. */
export class StandaloneDeployment extends Deployment {
  readonly ledgerPath: string;
  readonly tenant = TENANT;
  doors: readonly string[] = [];
  quietDoor = '';
  processes: readonly ManagedProcess[] = [];
  proxies: readonly CuttingProxy[] = [];
  readonly #options: StandaloneOptions;

  constructor(options: StandaloneOptions) {
    super();
    this.#options = options;
    this.ledgerPath = join(options.folder, 'ledger.jsonl');
  }

  override async start(): Promise<void> {
    const { seed } = this.#options;
    const [port, ledgerPort] = [await freePort(), await freePort()];
    const [clients, workers] = [new CuttingProxy(port, new Draws(seed + 1)), new CuttingProxy(port, new Draws(seed + 2))];
    this.proxies = [clients, workers];
    this.doors = [await clients.listen()];
    this.quietDoor = `http://127.0.0.1:${port}`;
    this.processes = [this.#server(port), this.#ledger(ledgerPort), ...this.#workers(await workers.listen(), `http://127.0.0.1:${ledgerPort}`)];
    await Promise.all(this.processes.map((each) => each.start()));
  }

  override async stop(): Promise<void> {
    const inOrder = [...this.processes].reverse();
    for (const each of inOrder) await each.stop();
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
  }

  override async leftovers(): Promise<readonly string[]> {
    return [...this.#pending(), ...(await this.#unsound()), ...this.#complaints()];
  }

  async #unsound(): Promise<readonly string[]> {
    const { findings } = await verifyFolder(this.#data);
    return findings.length === 0 ? [] : [describeFindings(findings)];
  }

  /** No batch is taken back and no input set aside because processes die. */
  #complaints(): readonly string[] {
    const lines = readFileSync(join(this.#options.folder, 'server.log'), 'utf8').split('\n');
    const errors = lines.filter((line) => line !== '' && (!line.startsWith('{') || /^\{"level":[56]0/.test(line)));
    return errors.slice(0, COMPLAINTS_SHOWN).map((line) => `the server complained: ${line.slice(0, 1_000)}`);
  }

  #pending(): readonly string[] {
    const names = readdirSync(this.#data).filter((name) => /^shard-\d+\.db$/.test(name));
    return [...names.flatMap((name) => pendingIn(join(this.#data, name)).map((row) => `${name}: ${row}`)), ...(names.length > 1 ? undelivered(this.#data, names.length) : [])];
  }

  get #data(): string {
    return join(this.#options.folder, 'data');
  }

  #process(options: Omit<ProcessOptions, 'log'>): ManagedProcess {
    return new ManagedProcess({ ...options, log: join(this.#options.folder, `${options.name}.log`) });
  }

  #server(port: number): ManagedProcess {
    const env = { PERDURE_PORT: String(port), PERDURE_DATA: this.#data, PERDURE_TENANT: TENANT, PERDURE_SAMPLES: 'off', PERDURE_SHARDS: String(this.#options.shards), PERDURE_LOG_LEVEL: 'warn' };
    return this.#process({ name: 'server', role: 'server', args: [this.#options.main], env, isReady: () => answers(`http://127.0.0.1:${port}/readyz`) });
  }

  #ledger(port: number): ManagedProcess {
    return this.#process({ name: 'ledger', role: 'ledger', args: [LEDGER, this.ledgerPath, String(port)], isReady: () => answers(`http://127.0.0.1:${port}/`) });
  }

  #workers(url: string, ledger: string): ManagedProcess[] {
    const { workers, fragileWorkers, surgical } = this.#options;
    const worker = (identity: string, settings: Pick<WorkerSettings, 'queues' | 'slots' | 'surgical'>): ManagedProcess => {
      const all: WorkerSettings = { url, tenant: TENANT, ledger, identity, ...settings };
      return this.#process({ name: identity, role: 'worker', args: [WORKER, JSON.stringify(all)], mayDie: true, sheltered: settings.slots === 1 });
    };
    return [
      ...Array.from({ length: workers }, (_, index) => worker(`worker-${index}`, { queues: ['default'], slots: SLOTS })),
      ...Array.from({ length: fragileWorkers }, (_, index) => worker(`fragile-${index}`, { queues: [FRAGILE_QUEUE], slots: 1 })),
      ...(surgical ? [worker('surgical', { queues: ['default', FRAGILE_QUEUE], slots: 1, surgical: true })] : []),
    ];
  }
}

const answers = async (url: string): Promise<boolean> => (await fetch(url)).ok;

/** What a run leaves on purpose, such as the memory of ended rollbacks and of spent events, is none of it. */
const PENDING_ROWS = [
  { what: 'a pending task', query: `select spec || ' ' || state as row from task` },
  { what: 'a pending timer', query: 'select body as row from timer' },
  { what: 'a pending wait', query: 'select body as row from wait' },
  { what: 'a rollback at work', query: `select body as row from rollback where json_extract(body, '$.endedAt') is null` },
  { what: 'an input for the next batch', query: 'select body as row from inbox' },
  { what: 'an event offered to a run', query: `select source || ' ' || id as row from event where state = 'offered'` },
  { what: 'an open run', query: 'select workflow_id as row from run where closed_at is null' },
] as const;

const pendingIn = (path: string): readonly string[] => {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const rowsOf = ({ what, query }: { readonly what: string; readonly query: string }): readonly string[] => (db.prepare(query).all() as { row: string }[]).map(({ row }) => `${what} is left: ${row.slice(0, 400)}`);
    return PENDING_ROWS.flatMap(rowsOf);
  } finally {
    db.close();
  }
};
