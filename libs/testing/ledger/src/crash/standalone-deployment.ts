import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { freePort } from '@perdure/servers';
import { describeFindings, verifyFolder } from '@perdure/verify';
import { Draws } from '../program/draws.js';
import { CuttingProxy } from './cutting-proxy.js';
import { Deployment } from './deployment.js';
import type { Disturbable } from './disturbable.js';
import { STANDALONE_LANES } from './lanes.js';
import { ledgerAndWorkers, type Population } from './ledger-and-workers.js';
import { ManagedProcess, type ProcessOptions } from './managed-process.js';
import { undelivered } from './undelivered.js';

export interface StandaloneOptions extends Population {
  /** The server's built `main.js`. */
  readonly main: string;
  readonly folder: string;
  readonly seed: number;
  /** Threads of the server, each with a file of its own. */
  readonly shards: number;
}

const COMPLAINTS_SHOWN = 20;
const TENANT = 'demo';

/** One server process over one data folder; worker processes and the ledger beside it. */
export class StandaloneDeployment extends Deployment {
  readonly dropsAtOnce = true;
  readonly ledgerPath: string;
  readonly tenant = TENANT;
  doors: readonly string[] = [];
  quietDoor = '';
  readonly lanes = STANDALONE_LANES;
  processes: readonly Disturbable[] = [];
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
    this.processes = [this.#server(port), ...ledgerAndWorkers({ ...this.#options, tenant: TENANT, ledgerPath: this.ledgerPath, ledgerPort, urls: [await workers.listen()] })];
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
