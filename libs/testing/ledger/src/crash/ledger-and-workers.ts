import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FRAGILE_QUEUE } from '../interpreter/activity-options.js';
import type { WorkerSettings } from '../worker/worker-settings.js';
import { ManagedProcess } from './managed-process.js';

export interface Population {
  readonly workers: number;
  /** Workers with one slot, for activities that kill their worker. */
  readonly fragileWorkers: number;
  /** A worker for poisoned tasks too: needed where the same attempt may crash three times. */
  readonly surgical: boolean;
}

export interface LedgerAndWorkersOptions extends Population {
  readonly folder: string;
  readonly tenant: string;
  readonly ledgerPath: string;
  readonly ledgerPort: number;
  /** Where workers come for work, in turns. */
  readonly urls: readonly string[];
}

const programOf = (path: string): string => fileURLToPath(new URL(`../../dist/${path}`, import.meta.url));
const WORKER = programOf('worker/main.js');
const LEDGER = programOf('book/main.js');
const SLOTS = 40;

/** What every deployment has beside its servers: the book of effects, and who makes them. */
export const ledgerAndWorkers = ({ folder, tenant, ledgerPath, ledgerPort, urls, workers, fragileWorkers, surgical }: LedgerAndWorkersOptions): ManagedProcess[] => {
  const ledgerUrl = `http://127.0.0.1:${ledgerPort}`;
  const logOf = (name: string): string => join(folder, `${name}.log`);
  let turn = 0;
  const worker = (identity: string, settings: Pick<WorkerSettings, 'queues' | 'slots' | 'surgical'>): ManagedProcess => {
    const all: WorkerSettings = { url: urls[turn++ % urls.length]!, tenant, ledger: ledgerUrl, identity, ...settings };
    return new ManagedProcess({ name: identity, role: 'worker', args: [WORKER, JSON.stringify(all)], log: logOf(identity), mayDie: true, sheltered: settings.slots === 1 });
  };
  return [
    new ManagedProcess({ name: 'ledger', role: 'ledger', args: [LEDGER, ledgerPath, String(ledgerPort)], log: logOf('ledger'), isReady: async () => (await fetch(`${ledgerUrl}/`)).ok }),
    ...Array.from({ length: workers }, (_, index) => worker(`worker-${index}`, { queues: ['default'], slots: SLOTS })),
    ...Array.from({ length: fragileWorkers }, (_, index) => worker(`fragile-${index}`, { queues: [FRAGILE_QUEUE], slots: 1 })),
    ...(surgical ? [worker('surgical', { queues: ['default', FRAGILE_QUEUE], slots: 1, surgical: true })] : []),
  ];
};
