import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bundle } from '@perdure/bundler';
import { activity } from '@perdure/sdk/activity';
import { Client } from '@perdure/sdk/client';
import { Worker } from '@perdure/sdk/node';
import { freePort } from '@perdure/servers';
import { ServerProcess } from './server-process.js';

const SOURCE = `
import { activities, receive, sleep } from '@perdure/sdk/workflow';
const { step } = activities<{ step(i: number): Promise<number> }>({ retry: { initialInterval: '10ms', maxAttempts: 2 } });
export async function count(i: number): Promise<number> {
  await sleep('10ms');
  return step(i);
}
export async function wait(): Promise<void> {
  await receive('never', { match: { key: 'k' } });
}
`;

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Prometheus' text format, as far as it is used here; throws at a line that is none. */
const parse = (text: string): { readonly samples: readonly Sample[]; readonly types: ReadonlyMap<string, string> } => {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  for (const line of text.split('\n').filter(Boolean)) {
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line);
    if (type) {
      if (types.has(type[1]!)) throw new Error(`${type[1]} comes twice`);
      types.set(type[1]!, type[2]!);
    }
    if (line.startsWith('#')) continue;
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!sample || !/^([+-]?Inf|NaN|[-+\d.e]+)$/i.test(sample[3]!)) throw new Error(`no sample: ${line}`);
    samples.push({ name: sample[1]!, labels: Object.fromEntries([...(sample[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, value]) => [key!, value!])), value: Number(sample[3]) });
  }
  return { samples, types };
};

describe('/metrics', () => {
  const data = mkdtempSync(join(tmpdir(), 'perdure-metrics-'));
  let server: ServerProcess;
  let client: Client;
  let worker: Worker | undefined;
  let working: Promise<void>;

  beforeAll(async () => {
    server = new ServerProcess({ port: await freePort(), data, env: { PERDURE_LOG_LEVEL: 'info', PERDURE_SLOW_REQUEST_MS: '100000' } });
    await server.start();
    client = new Client({ url: server.url });
    const { code } = await bundle({ source: SOURCE, resolveDir: import.meta.dirname });
    await client.deploy({ name: 'count', code });
    const step = async (i: number): Promise<number> => {
      if (activity().attempt === 1 || i < 0) throw new Error('not yet');
      return i;
    };
    worker = new Worker({ url: server.url, log: () => undefined, activities: { step } });
    working = worker.run();
  });
  afterAll(async () => {
    await stopWorker();
    await client.close();
    await server.stop('SIGTERM');
    rmSync(data, { recursive: true, force: true });
  });

  const stopWorker = async (): Promise<void> => {
    await worker?.shutdown(1_000);
    await working;
    worker = undefined;
  };

  const scrape = async () => {
    const { samples, types } = parse(await (await fetch(`${server.url}/metrics`)).text());
    const value = (name: string, labels: Readonly<Record<string, string>> = {}): number | undefined => samples.find((each) => each.name === name && Object.entries(labels).every(([key, is]) => each.labels[key] === is))?.value;
    return { samples, types, value };
  };

  it('counts what runs did, by tenant', async () => {
    for (let i = 0; i < 3; i++) expect(await client.execute('count', { workflowId: `c${i}`, input: i })).toBe(i);
    await expect(client.execute('count', { workflowId: 'bad', input: -1 })).rejects.toThrow('not yet');
    await client.start('wait', { workflowId: 'w' });
    const { value, types } = await scrape();
    const tenant = 'demo';
    expect(value('perdure_runs_started_total', { tenant })).toBe(5);
    expect(value('perdure_runs_closed_total', { tenant, status: 'completed' })).toBe(3);
    expect(value('perdure_runs_closed_total', { tenant, status: 'failed' })).toBe(1);
    expect(value('perdure_activity_attempts_total', { tenant, outcome: 'completed' })).toBe(3);
    expect(value('perdure_activity_attempts_total', { tenant, outcome: 'failed' })).toBe(5);
    expect(value('perdure_task_schedule_to_start_seconds_count')).toBe(8);
    expect(value('perdure_timer_lateness_seconds_count')).toBe(4);
    expect(value('perdure_waits_open')).toBe(1);
    expect([value('perdure_tasks_open'), value('perdure_tasks_poisoned'), value('perdure_timers_armed')]).toEqual([0, 0, 0]);
    expect(value('perdure_worker_sessions')).toBe(1);
    expect(value('perdure_shard_commit_duration_seconds_count')).toBe(value('perdure_shard_batches_total'));
    expect(types.get('perdure_shard_commit_duration_seconds')).toBe('histogram');
    expect(value('process_cpu_user_seconds_total')).toBeGreaterThan(0);
  });

  it('tells what waits for a worker, by queue', async () => {
    await stopWorker();
    await client.start('count', { workflowId: 'later', input: 1 });
    let ready: number | undefined;
    while (ready === undefined) ready = (await scrape()).value('perdure_tasks_ready', { tenant: 'demo', queue: 'default', poisoned: 'false' });
    expect(ready).toBe(1);
  });

  it('measures requests by route, whatever their paths', async () => {
    for (let i = 0; i < 5; i++) await fetch(`${server.url}/v1/workflows/none-${i}`);
    for (let i = 0; i < 5; i++) await fetch(`${server.url}/nowhere/${i}`);
    const { value, samples, types } = await scrape();
    const name = 'http_server_request_duration_seconds';
    expect(types.get(name)).toBe('histogram');
    const labels = { http_request_method: 'GET', http_route: '/v1/workflows/:workflowId', http_response_status_code: '404' };
    expect(value(`${name}_count`, labels)).toBe(5);
    expect(value(`${name}_bucket`, { ...labels, le: '+Inf' })).toBe(5);
    expect(value(`${name}_count`, { http_route: 'none', http_response_status_code: '404' })).toBe(5);
    expect(value(`${name}_count`, { http_request_method: 'POST', http_route: '/v1/workflows', http_response_status_code: '201' })).toBe(6);
    expect(value('http_server_active_requests')).toBe(1);
    const routes = new Set(samples.flatMap(({ labels: { http_route } }) => http_route ?? []));
    expect([...routes].filter((route) => route.includes('none-') || route.includes('nowhere'))).toEqual([]);
  });

  it('goes with a line for each request that was refused', () => {
    const lines = server.output.split('\n').filter((line) => line.includes('a request was refused')).map((line) => JSON.parse(line) as object);
    expect(lines).toContainEqual(expect.objectContaining({ tenant: 'demo', workflowId: 'none-3', status: 404, code: 'unknown-run', route: '/v1/workflows/:workflowId', durationMs: expect.any(Number) }));
  });
});
