import { hostname } from 'node:os';
import { SystemClock } from '@perdure/clock';
import { LIMITS } from '@perdure/contract';
import { newId } from '@perdure/identity';
import { collectActivities, type ActivitySource } from './activity-registry.js';
import { DeskWorkerTransport, type Desk } from './desk-worker-transport.js';
import { HttpWorkerTransport } from './http-worker-transport.js';
import type { WorkerLog } from './log-fields.js';
import { WorkerCore } from './worker-core.js';
import type { WorkerTransport } from './worker-transport.js';

export interface WorkerSettings {
  /** Modules (`import * as carrier from './carrier.activities.js'`) or records of functions. */
  readonly activities: ActivitySource | readonly ActivitySource[];
  /** Task queues to serve; default `default`. */
  readonly queue?: string | readonly string[];
  /** How many activities run at once, at most 1,000; default 100. */
  readonly slots?: number;
  /** Shown beside what it does; must differ from worker to worker. Default: host, process id and a random part. */
  readonly identity?: string;
  /** Takes poisoned tasks alone, one at a time: run it in a process of its own, with a memory limit. */
  readonly surgical?: boolean;
  /** Default: standard error. */
  readonly log?: WorkerLog;
}

export interface WorkerOptions extends WorkerSettings {
  /** Default `http://localhost:8080`. */
  readonly url?: string;
  /** Checked by the server against the credential. */
  readonly tenant?: string;
  readonly apiKey?: string;
}

/**
 * Runs activities for a Perdure server.
 *
 * @example
 * import * as carrier from './carrier.activities.js';
 * const worker = new Worker({ url: 'http://localhost:8080', tenant: 'demo', activities: carrier });
 * process.once('SIGTERM', () => void worker.shutdown());
 * await worker.run();
 */
export class Worker {
  readonly #transport: WorkerTransport;
  readonly #core: WorkerCore;

  /** @throws Error when there are no activities, or two of one name; RangeError for other `slots` than 1 to 1,000 */
  constructor(options: WorkerOptions) {
    const { url = 'http://localhost:8080', tenant, apiKey } = options;
    this.#transport = new HttpWorkerTransport({ url, ...(tenant ? { tenant } : {}), ...(apiKey ? { apiKey } : {}) });
    this.#core = createWorkerCore(options, this.#transport);
  }

  /**
   * Works until `shutdown`, however often the server goes away and comes back.
   * @throws PerdureError `unauthenticated`, `forbidden` or `invalid-request` when the server will not have this worker
   */
  run(): Promise<void> {
    return this.#core.run();
  }

  /** Takes no more, lets what runs finish for `graceMs` (default 30,000), hands back the rest. */
  async shutdown(graceMs?: number): Promise<void> {
    await this.#core.shutdown(graceMs);
    await this.#transport.close();
  }
}

export interface InProcessWorkerOptions extends WorkerSettings {
  readonly desk: Desk;
  readonly tenant: string;
}

/** The same worker for a scheduler in the same process: no HTTP between them. */
export class InProcessWorker {
  readonly #core: WorkerCore;

  constructor(options: InProcessWorkerOptions) {
    this.#core = createWorkerCore(options, new DeskWorkerTransport(options.desk, options.tenant));
  }

  run(): Promise<void> {
    return this.#core.run();
  }

  shutdown(graceMs?: number): Promise<void> {
    return this.#core.shutdown(graceMs);
  }
}

const createWorkerCore = ({ activities, queue = 'default', slots = 100, identity, surgical, log }: WorkerSettings, transport: WorkerTransport): WorkerCore => {
  if (!Number.isInteger(slots) || slots < 1 || slots > LIMITS.pollSlotsMax) throw new RangeError(`slots is a whole number from 1 to ${LIMITS.pollSlotsMax}, not ${slots}`);
  const clock = new SystemClock();
  const session = newId(clock.now());
  return new WorkerCore({
    transport,
    activities: collectActivities(activities),
    queues: [queue].flat(),
    slots,
    identity: identity ?? `${hostname()}/${process.pid}/${session.slice(-6)}`,
    session,
    clock,
    random: Math.random,
    log: log ?? ((text) => void process.stderr.write(`perdure worker: ${text}\n`)),
    ...(surgical ? { surgical } : {}),
  });
};
