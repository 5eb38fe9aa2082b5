import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '@perdure/bundler';
import { Client } from '@perdure/sdk/client';
import { freePort } from '@perdure/servers';
import { ServerProcess, until } from '../server-process.js';
import { Stored } from './stored.js';

export const ACME = 'a-key-of-acme-long-and-random';
export const OTHER = 'a-key-of-somebody-else-no-less-so';
export const SECRET = 'what both sides of a webhook know';

const WORKFLOWS = `
import { activities, nextSignal, onQuery, onUpdate, query, signal, update } from '@perdure/sdk/workflow';
export const go = signal<string>('go');
export const stage = query<void, string>('stage');
export const broken = query<void, string>('broken');
export const add = update<number, number>('add');
export async function waiter(): Promise<string> {
  onQuery(stage, () => 'waiting');
  onQuery(broken, () => { throw new Error('a handler that throws'); });
  onUpdate(add, (n: number) => n + 1, { validate: (n) => { if (typeof n !== 'number') throw new Error('a number, please'); } });
  return nextSignal(go);
}
const { missing } = activities<{ missing(): Promise<void> }>({ retry: { maxAttempts: 1 } });
export async function lonely(): Promise<void> { await missing(); }
export async function quick(input: string): Promise<string> { return input; }
`;

const keyHash = (key: string): string => createHash('sha256').update(key).digest('hex');

const CONFIG = {
  apiKeys: [{ tenant: 'acme', sha256: keyHash(ACME) }, { tenant: 'other', sha256: keyHash(OTHER) }],
  webhooks: {
    hub: { tenant: 'acme', scheme: { kind: 'github' }, secrets: [SECRET] },
    standard: { tenant: 'acme', scheme: { kind: 'standard' }, secrets: [SECRET] },
    timed: { tenant: 'acme', scheme: { kind: 'hmac', header: 'x-signature', timestamp: { header: 'x-time' } }, secrets: [SECRET] },
  },
};

/**
 * The built server with two tenants. Of acme: the runs `open` (waits for a signal), `held` (suspended) and `closed`, and a bundle; of other: `theirs`.
 * Each waits for something no test sends, so nothing changes by itself.
 */
export class ApiWorld {
  readonly url: string;
  readonly stored: Stored;
  /** Hash of acme's bundle. */
  readonly bundle: string;
  readonly #server: ServerProcess;
  readonly #folder: string;

  private constructor(parts: { readonly server: ServerProcess; readonly folder: string; readonly bundle: string }) {
    this.url = parts.server.url;
    this.bundle = parts.bundle;
    this.#server = parts.server;
    this.#folder = parts.folder;
    this.stored = new Stored(join(parts.folder, 'data'));
  }

  static async open(): Promise<ApiWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'perdure-bad-input-'));
    const config = join(folder, 'perdure.json');
    writeFileSync(config, JSON.stringify(CONFIG));
    const server = new ServerProcess({ port: await freePort(), data: join(folder, 'data'), env: { PERDURE_CONFIG: config } });
    await server.start();
    const made = await bundle({ source: WORKFLOWS, resolveDir: import.meta.dirname });
    for (const apiKey of [ACME, OTHER]) {
      const client = new Client({ url: server.url, apiKey });
      await client.deploy({ name: 'waiters', code: made.code });
      if (apiKey === OTHER) await client.start('waiter', { workflowId: 'theirs' });
      else await putRuns(client);
      await client.close();
    }
    return new ApiWorld({ server, folder, bundle: made.hash });
  }

  async close(): Promise<void> {
    this.stored.close();
    await this.#server.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true });
  }
}

const putRuns = async (client: Client): Promise<void> => {
  for (const workflowId of ['open', 'held']) await client.start('waiter', { workflowId });
  await client.run('held').suspend();
  const closed = await client.start<(input: string) => Promise<string>>('quick', { workflowId: 'closed', input: 'in', id: 'first' });
  await closed.result();
  await until(async () => (await Array.fromAsync(client.list())).length === 3);
};
