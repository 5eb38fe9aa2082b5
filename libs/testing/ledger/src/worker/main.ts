import { Worker } from '@perdure/sdk/node';
import { LedgerClient } from '../book/ledger-client.js';
import { createEffects } from '../interpreter/effects.js';
import { completer } from './completer.js';
import type { WorkerSettings } from './worker-settings.js';

/** A worker's process: `main.js SETTINGS`, as JSON. */
const { url, tenant, ledger, identity, queues, slots, surgical } = JSON.parse(process.argv[2] ?? '') as WorkerSettings;
const client = new LedgerClient(ledger);

const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('still alive');
};

const activities = createEffects({ record: async (record) => void (await client.record(record)), complete: completer({ url, tenant }), die });
const worker = new Worker({ url, tenant, identity, queue: queues, slots, activities, log: () => undefined, ...(surgical && { surgical }) });
process.once('SIGTERM', () => void worker.shutdown(1_000));
console.log('ready');
await worker.run();
