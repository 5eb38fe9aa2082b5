import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { HistoryEvent, RunView } from '@perdure/contract';
import { Client } from '@perdure/sdk/client';
import { freePort } from '@perdure/servers';
import { ServerProcess, until } from './server-process.js';

/** So many orders the sample takes at once when it starts. */
const FIRST_ORDERS = 10;
const SOURCE = '/webhooks/swiftcart-carrier';

jest.setTimeout(300_000);

describe('the sample product on a server with nothing configured', () => {
  let folder: string;
  let server: ServerProcess;
  let client: Client;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'perdure-samples-'));
    server = new ServerProcess({ port: await freePort(), data: join(folder, 'data'), env: { PERDURE_SAMPLES: 'on' } });
    await server.start();
    client = new Client({ url: server.url, retryFor: '1 minute' });
  });
  afterEach(async () => {
    await client.close();
    await server.stop('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  const firstOrders = async (): Promise<RunView[]> => (await Array.fromAsync(client.list({ workflowType: 'deliver' }))).filter(({ workflowId }) => /^order-\w+-([1-9]|10)$/.test(workflowId));
  const settled = async (): Promise<RunView[]> => {
    let runs: RunView[] = [];
    await until(async () => {
      runs = await firstOrders();
      return runs.length === FIRST_ORDERS && runs.every(({ status }) => status !== 'running');
    });
    return runs;
  };
  const historyOf = async ({ workflowId }: { readonly workflowId: string }): Promise<HistoryEvent[]> => Array.fromAsync(client.run(workflowId).history());
  const undone = async ({ workflowId }: { readonly workflowId: string }): Promise<string[]> => {
    const answer = await fetch(`${server.url}/v1/audit?workflowId=${workflowId}`);
    const { entries } = (await answer.json()) as { entries: { kind: string; step?: { name: string } }[] };
    return entries.flatMap(({ step }) => step?.name ?? []).sort();
  };

  it('drains when it is told to stop as soon as it is ready', async () => {
    expect(await server.stop('SIGTERM')).toBe(0);
  });

  it('delivers by signed webhooks, undoes what it cannot ship, and what its customer gives up', async () => {
    const runs = await settled();
    const by = (status: string): RunView[] => runs.filter((run) => run.status === status);
    expect([by('completed').length, by('failed').length, by('cancelled').length]).toEqual([8, 1, 1]);
    for (const run of by('completed')) {
      const scans = (await historyOf(run)).filter((event) => event.kind === 'eventReceived');
      expect(scans.map(({ event: { source, type } }) => [source, type])).toEqual([[SOURCE, 'carrier.picked-up'], [SOURCE, 'carrier.delivered']]);
    }
    const [failed, cancelled] = [by('failed')[0]!, by('cancelled')[0]!];
    expect(await undone(failed)).toEqual(['refund', 'release']);
    // The cancel comes when it comes: what had been done by then is undone, and nothing else.
    const undos: Readonly<Record<string, string>> = { reserve: 'release', charge: 'refund' };
    const done = (await historyOf(cancelled)).flatMap((event) => (event.kind === 'activityScheduled' ? [undos[event.name] ?? []].flat() : []));
    expect(await undone(cancelled)).toEqual(done.sort());
  });

  it('delivers whatever anybody orders, and goes on after it was killed', async () => {
    const order = { orderId: 'mine', item: 'lamp', amount: 7, address: 'Rome' };
    await until(async () => (await client.bundles()).length > 0);
    const run = await client.start('deliver', { workflowId: 'mine', input: order });
    await until(async () => (await client.run('mine').query('stage')) !== 'reserving');
    await server.stop('SIGKILL');
    await server.start();
    expect(await run.result()).toMatchObject({ tracking: 'SC-mine', hurried: false });
  });

  it('takes no webhook of anybody else', async () => {
    const unsigned = await fetch(`${server.url}/v1${SOURCE}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"type":"carrier.delivered","tracking":"SC-1"}' });
    expect([unsigned.status, await unsigned.json()]).toEqual([401, expect.objectContaining({ code: 'invalid-signature' })]);
  });
});
