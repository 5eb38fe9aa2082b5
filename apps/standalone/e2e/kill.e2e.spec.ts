import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bundle } from '@perdure/bundler';
import { activity } from '@perdure/sdk/activity';
import { Client } from '@perdure/sdk/client';
import { Worker } from '@perdure/sdk/node';
import { freePort } from '@perdure/servers';
import { ServerProcess, until } from './server-process.js';

const SOURCE = `
import { activities, condition, onSignal, signal } from '@perdure/sdk/workflow';
const { step } = activities<{ step(input: { order: string; i: number; total: number }): Promise<number> }>({ retry: { initialInterval: '50ms' } });
const poke = signal<string>('poke');
export async function chain({ order }: { order: string }): Promise<{ total: number; pokes: string[] }> {
  const pokes: string[] = [];
  onSignal(poke, (id) => { pokes.push(id); });
  let total = 0;
  for (let i = 0; i < 4; i++) total = await step({ order, i, total });
  await condition(() => pokes.length >= 2);
  return { total, pokes: pokes.sort() };
}
`;

const KILLS = 10;
const CLIENTS = 250;
const ATTEMPTS_RUNNING_MIN = 200;
const UNANSWERED_MIN = 50;

/** One line, on disk before it returns: what happened outside the server. */
class Ledger {
  readonly path: string;
  readonly #fd: number;
  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, 'a');
  }
  /** Many callers of one moment share a sync. */
  #syncing: Promise<void> | undefined;
  write(line: string): Promise<void> {
    writeSync(this.#fd, `${line}\n`);
    this.#syncing ??= new Promise((resolve) =>
      setImmediate(() => {
        this.#syncing = undefined;
        fsyncSync(this.#fd);
        resolve();
      }),
    );
    return this.#syncing;
  }
  lines(): string[] {
    return readFileSync(this.path, 'utf8').split('\n').filter(Boolean);
  }
  close(): void {
    closeSync(this.#fd);
  }
}

describe('a server that is killed', () => {
  let folder: string;
  let server: ServerProcess;
  let effects: Ledger;
  let acknowledged: Ledger;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'perdure-kill-'));
    server = new ServerProcess({ port: await freePort(), data: join(folder, 'data') });
    effects = new Ledger(join(folder, 'effects'));
    acknowledged = new Ledger(join(folder, 'acknowledged'));
    await server.start();
  });
  afterEach(async () => {
    await server.stop('SIGKILL');
    effects.close();
    acknowledged.close();
    rmSync(folder, { recursive: true });
  });

  it(`keeps every acknowledged start and signal once, and repeats nothing that was recorded, through ${KILLS} kills under load`, async () => {
    const client = new Client({ url: server.url, retryFor: '5 minutes' });
    const made = await bundle({ source: SOURCE, resolveDir: import.meta.dirname });
    await client.deploy({ name: 'kill', code: made.code, sourceMap: made.sourceMap });
    let running = 0;
    let unanswered = 0;
    const step = async ({ order, i, total }: { order: string; i: number; total: number }): Promise<number> => {
      running++;
      try {
        await sleep(150);
        await effects.write(`${order} ${i} ${activity().idempotencyKey}`);
        return total + i + 1;
      } finally {
        running--;
      }
    };
    const worker = new Worker({ url: server.url, activities: { step }, slots: 1_000, log: () => undefined });
    const working = worker.run();
    const asked = async (request: Promise<unknown>, line: string): Promise<void> => {
      unanswered++;
      await request.finally(() => unanswered--);
      await acknowledged.write(line);
    };
    let stopping = false;
    const orders: string[] = [];
    const order = async (name: string): Promise<void> => {
      orders.push(name);
      await asked(client.start('chain', { workflowId: name, input: { order: name } as never }), `start ${name}`);
      await Promise.all(['a', 'b'].map((id) => asked(client.run(name).signal('poke', id, { id: `${name}-${id}` }), `signal ${name} ${id}`)));
      await client.run(name).result();
    };
    const loops = Array.from({ length: CLIENTS }, async (_, k) => {
      for (let n = 0; !stopping; n++) await order(`order-${k}-${n}`);
    });

    for (let kill = 0; kill < KILLS; kill++) {
      await until(() => running >= ATTEMPTS_RUNNING_MIN && unanswered >= UNANSWERED_MIN);
      await server.stop('SIGKILL');
      await server.start();
    }
    stopping = true;
    await Promise.all(loops);

    const starts = acknowledged.lines().filter((line) => line.startsWith('start '));
    expect(new Set(starts).size).toBe(orders.length);
    for (const name of orders) {
      expect(await client.run(name).result()).toEqual({ total: 10, pokes: ['a', 'b'] });
    }
    // A step's first effect says that the step before it was recorded: from then on that one must not come again.
    const reached = new Map<string, number>();
    const repeated = effects.lines().filter((line) => {
      const [name, i] = line.split(' ') as [string, string];
      const highest = reached.get(name) ?? -1;
      reached.set(name, Math.max(highest, Number(i)));
      return Number(i) < highest;
    });
    expect(repeated).toEqual([]);
    expect(new Set(effects.lines().map((line) => line.split(' ')[2])).size).toBe(orders.length * 4);
    await worker.shutdown();
    await working;
    await client.close();
  }, 600_000);

  it('drains on SIGTERM: what is in flight is answered, no attempt counts as a crash', async () => {
    const client = new Client({ url: server.url, retryFor: '1 minute' });
    const made = await bundle({ source: SOURCE, resolveDir: import.meta.dirname });
    await client.deploy({ name: 'drain', code: made.code });
    let attempts = 0;
    const step = async ({ i, total }: { order: string; i: number; total: number }): Promise<number> => {
      attempts++;
      expect(activity().attempt).toBe(1);
      await sleep(200);
      return total + i + 1;
    };
    const worker = new Worker({ url: server.url, activities: { step }, log: () => undefined });
    const working = worker.run();
    const run = await client.start('chain', { workflowId: 'one', input: { order: 'one' } as never });
    await Promise.all(['a', 'b'].map((id) => run.signal('poke', id)));
    await until(() => attempts > 0);
    expect(await server.stop('SIGTERM')).toBe(0);
    await server.start();
    expect(await client.run('one').result()).toEqual({ total: 10, pokes: ['a', 'b'] });
    await worker.shutdown();
    await working;
    await client.close();
  }, 60_000);

  it('refuses a second server on its data folder, by name, and an address that is not loopback without keys', async () => {
    const second = new ServerProcess({ port: await freePort(), data: join(folder, 'data') });
    await expect(second.start()).rejects.toThrow(/Another server has the data folder/);
    const open = new ServerProcess({ port: await freePort(), data: join(folder, 'other'), env: { PERDURE_HOST: '0.0.0.0' } });
    await expect(open.start()).rejects.toThrow(/without API keys the server listens on loopback only/);
  }, 60_000);
});
