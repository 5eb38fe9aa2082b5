import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setTimeout as after } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { FolderLogArchive } from '@perdure/archive';
import { bundle } from '@perdure/bundler';
import { SystemClock } from '@perdure/clock';
import { wholeLog, type LogRecord } from '@perdure/delivery';
import { KafkaLogs } from '@perdure/kafka';
import { LocalMesh, type MeshNodeProcess, type MeshService } from '../src/index.js';
import { Client } from '@perdure/sdk/client';
import { Worker } from '@perdure/sdk/node';
import { freePort, type Link, obtain, OtlpReceiver, type ReceivedSpan, type ServerProcess, serversConfig, SilentProgress, startToxiproxy, Toxiproxy, toxiproxyProgram } from '@perdure/servers';
import * as activities from './parcels.activities.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MINUTES = 60_000;
const WEIGHINGS = 5;
const GRAMS = 15;
const SHARDS = 4;

describe('the mesh, with two nodes of each service', () => {
  let folder: string;
  let mesh: LocalMesh;
  let client: Client;
  let worker: Worker;
  let working: Promise<void>;
  let toxiproxy: ServerProcess;
  let toEtcd: Link;
  let collector: OtlpReceiver;
  let orders = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perdure-mesh-'));
    await chmod(folder, 0o711);
    const surroundings = { config: serversConfig(), progress: new SilentProgress() };
    toxiproxy = await startToxiproxy({ program: await obtain(toxiproxyProgram, surroundings) });
    // As they are found where `npm run mesh` is called.
    collector = await OtlpReceiver.open();
    Object.assign(process.env, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_BSP_SCHEDULE_DELAY: '200' });
    const noCollector = `http://127.0.0.1:${await freePort()}`;
    /** One node of history has etcd at the other end of a link that can be cut; one of ingestion has nobody who takes its spans. */
    const envOf = async ({ service, index }: { readonly service: MeshService; readonly index: number }, { etcd }: { readonly etcd: string }): Promise<Readonly<Record<string, string>>> => {
      if (service === 'ingestion' && index === 1) return { OTEL_EXPORTER_OTLP_ENDPOINT: noCollector, OTEL_EXPORTER_OTLP_TIMEOUT: '200' };
      if (service !== 'history' || index !== 0) return {};
      toEtcd = await new Toxiproxy(toxiproxy.address).link({ name: 'etcd', to: etcd });
      return { PERDURE_ETCD: toEtcd.address };
    };
    const replicas = { ingestion: 2, history: 2, scheduler: 2, correlation: 2, compensation: 2 };
    mesh = await LocalMesh.start({ root: ROOT, folder: join(folder, 'mesh'), replicas, slicesPerNode: 2, components: join(ROOT, 'components', 'local'), given: {}, patienceMs: 10 * MINUTES, env: { PERDURE_LOG_ARCHIVE: pathToFileURL(join(folder, 'archive')).href, PERDURE_LOG_ARCHIVE_AFTER_SECONDS: '1' }, envOf }, surroundings);
    await mesh.ready();
    const [url = ''] = mesh.urls;
    client = new Client({ url, retryFor: '1 minute' });
    const { code, sourceMap } = await bundle({ entry: join(ROOT, 'tools/mesh/e2e/parcels.workflow.ts') });
    await client.deploy({ name: 'parcels', code, sourceMap });
    worker = new Worker({ url, activities, log: () => undefined });
    working = worker.run();
  }, 15 * MINUTES);

  /** What a failed test has left down must not fail the next. */
  afterEach(async () => {
    for (const { app, sidecar } of mesh.nodes) for (const process of [app, sidecar]) if (process.pid === undefined) await process.restart();
  }, 2 * MINUTES);

  afterAll(async () => {
    await worker?.shutdown(5_000);
    await working;
    await client?.close();
    await mesh?.stop();
    await toxiproxy?.stop();
    await collector?.close();
    await rm(folder, { recursive: true, force: true });
  }, MINUTES);

  const nodesOf = (service: MeshService): readonly MeshNodeProcess[] => mesh.nodes.filter((node) => node.service === service);

  /** Starts runs one after the other, on so many lanes, until it is told to stop; then checks their results. */
  const load = (lanes = 1) => {
    const over = new AbortController();
    const results: Promise<unknown>[] = [];
    const ids: string[] = [];
    const lane = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const id = `parcel-${++orders}`;
        ids.push(id);
        const result = client.start('parcel', { workflowId: id, input: { id, weighings: WEIGHINGS, waits: false } }).then((run) => run.result());
        results.push(result);
        await result;
        await after(20);
      }
    };
    const going = Promise.all(Array.from({ length: lanes }, lane));
    return {
      started: () => results.length,
      end: async (): Promise<void> => {
        over.abort();
        await going;
        expect(await Promise.all(results)).toEqual(ids.map((id) => `${id}: ${GRAMS} g, at once`));
      },
    };
  };

  const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
    const givenUpMs = performance.now() + 2 * MINUTES;
    while (!(await holds())) {
      if (performance.now() > givenUpMs) throw new Error(`never: ${what}`);
      await after(50);
    }
  };

  it('is used through service invocation, without any SDK', async () => {
    const sidecar = nodesOf('scheduler')[0]!.sidecar.address;
    const ask = async (path: string, body?: object): Promise<{ readonly status: number; readonly body: unknown }> => {
      const response = await fetch(`${sidecar}/v1.0/invoke/ingestion/method/v1/workflows${path}`, body ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {});
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    };
    expect(await ask('', { workflowType: 'parcel', workflowId: 'by-dapr', input: { id: 'd', weighings: 1, waits: true } })).toMatchObject({ status: 201 });
    await until('it is packed', async () => ((await ask('/by-dapr/queries/stage', {})).body as { value?: unknown }).value === 'packed');
    expect((await ask('/by-dapr/signals/released', { input: 'go' })).status).toBeLessThan(300);
    await until('it has ended', async () => ((await ask('/by-dapr/result')).body as { status?: unknown }).status === 'completed');
    expect(await ask('/by-dapr/result')).toMatchObject({ status: 200, body: { result: 'd: 1 g, go' } });
    expect(await ask('/nothing')).toMatchObject({ status: 404, body: { code: 'unknown-run' } });
  }, 3 * MINUTES);

  it('counts what its slices do', async () => {
    const run = await client.start('parcel', { workflowId: 'counted', input: { id: 'counted', weighings: WEIGHINGS, waits: false } });
    await run.result();
    const sumOf = async (service: MeshService, series: string): Promise<number> => {
      const texts = await Promise.all(nodesOf(service).map(async (node) => (await fetch(`${node.url}/metrics`)).text()));
      return texts.flatMap((text) => text.split('\n').filter((line) => line.startsWith(series))).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    };
    await until('a closed run is counted', async () => (await sumOf('history', 'perdure_runs_closed_total{')) >= 1);
    expect(await sumOf('history', 'perdure_runs_started_total{')).toBeGreaterThanOrEqual(1);
    expect(await sumOf('history', 'perdure_shard_commit_duration_seconds_count')).toBeGreaterThan(0);
    // A start, and the end of each of its activities.
    expect(await sumOf('history', 'perdure_shard_inputs_total')).toBeGreaterThanOrEqual(1 + WEIGHINGS);
    const commits = await sumOf('history', 'perdure_shard_commit_duration_seconds_count');
    expect(await sumOf('history', 'perdure_shard_batches_total')).toBeGreaterThanOrEqual(commits);
    const waiting = await client.start('parcel', { workflowId: 'in-memory', input: { id: 'in-memory', weighings: 1, waits: true } });
    expect(await sumOf('history', 'perdure_realms_live')).toBeGreaterThanOrEqual(1);
    await waiting.signal('released', 'go');
    await waiting.result();
    expect(await sumOf('scheduler', 'perdure_shard_inputs_total')).toBeGreaterThanOrEqual(WEIGHINGS);
    await until('nothing waits', async () => (await sumOf('history', 'perdure_shard_queue_length')) === 0);
    for (const node of nodesOf('compensation')) expect(await seriesOf(node, 'perdure_shard_commit_failures_total')).toHaveLength(1);
    await until('its attempts are counted', async () => (await sumOf('scheduler', 'perdure_activity_attempts_total{')) >= WEIGHINGS);
    expect(await Promise.all(nodesOf('scheduler').map((node) => seriesOf(node, 'perdure_worker_sessions')))).toEqual([['perdure_worker_sessions 1'], ['perdure_worker_sessions 1']]);
  }, MINUTES);

  const seriesOf = async ({ url }: MeshNodeProcess, series: string): Promise<readonly string[]> => (await (await fetch(`${url}/metrics`)).text()).split('\n').filter((line) => line.startsWith(series));

  it('measures the requests of each node, by route', async () => {
    await client.start('parcel', { workflowId: 'measured', input: { id: 'measured', weighings: 1, waits: false } }).then((run) => run.result());
    const routesOf = async (service: MeshService): Promise<ReadonlySet<string>> =>
      new Set((await Promise.all(nodesOf(service).map((node) => seriesOf(node, 'http_server_request_duration_seconds_count')))).flat().map((line) => line.replace(/.*http_request_method="(\w+)",http_route="([^"]*)",http_response_status_code="(\d+)".*/, '$1 $2 $3')));
    expect(await routesOf('ingestion')).toContain('POST /v1/workflows 201');
    expect([...(await routesOf('scheduler'))]).toEqual(expect.arrayContaining(['POST /internal/deliveries 200', 'POST /internal/slices/:index/:operation 200']));
    for (const service of ['history', 'correlation', 'compensation'] as const) expect([service, [...(await routesOf(service))]]).toEqual([service, expect.arrayContaining(['GET /healthz 200'])]);
  }, MINUTES);

  const post = async (url: string, path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<number> =>
    (await fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })).status;

  it('shows a run as one trace, whichever process made its spans', async () => {
    const [url = ''] = mesh.urls;
    const starter = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const [, traceId, spanId] = starter.split('-');
    expect(await post(url, '/v1/workflows', { workflowType: 'parcel', workflowId: 'traced', input: { id: 'traced', weighings: 1, waits: true } }, { traceparent: starter })).toBe(201);
    await until('it is packed', async () => (await client.run('traced').query('stage')) === 'packed');
    // Its sender has no trace, so it belongs to the run's.
    expect(await post(url, '/v1/workflows/traced/signals/released', { input: 'go' })).toBeLessThan(300);
    expect(await client.run('traced').result()).toBe('traced: 1 g, go');
    const names = ['POST /v1/workflows', 'POST /v1/workflows/:workflowId/signals/:name', 'dispatch pack', 'dispatch weigh', 'input activityClosed', 'input activityClosed', 'input signal', 'input start'];
    const spans = (): readonly ReceivedSpan[] => collector.spans.filter((span) => span.traceId === traceId);
    await until('all of its spans are there', () => spans().length >= names.length);
    expect(spans().map(({ name }) => name).sort()).toEqual(names);
    const only = (name: string): ReceivedSpan => spans().find((span) => span.name === name)!;
    const start = only('POST /v1/workflows');
    const closing = spans().find(({ attributes }) => attributes['perdure.run.status'] === 'completed')!;
    expect(spans().flatMap(({ links }) => links ?? [])).toEqual([]);
    const parents: Readonly<Record<string, string | undefined>> = {
      'POST /v1/workflows': spanId, 'input start': start.spanId, 'dispatch pack': only('input start').spanId, 'POST /v1/workflows/:workflowId/signals/:name': start.spanId,
      'input signal': only('POST /v1/workflows/:workflowId/signals/:name').spanId, 'dispatch weigh': only('input signal').spanId, 'input activityClosed': start.spanId,
    };
    expect(spans().map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual(spans().map(({ name }) => [name, parents[name]]));
    const makers: Readonly<Record<string, string>> = { POST: 'perdure-ingestion', input: 'perdure-history', dispatch: 'perdure-scheduler' };
    expect(spans().map(({ name, service }) => [name, service])).toEqual(spans().map(({ name }) => [name, makers[name.split(' ', 1)[0]!]]));
    expect(closing).toMatchObject({ name: 'input activityClosed', attributes: { 'perdure.workflow.id': 'traced', 'perdure.tenant': 'demo' } });
    const { events } = (await (await fetch(`${url}/v1/workflows/traced/history`)).json()) as { readonly events: readonly object[] };
    expect(events[0]).toMatchObject({ kind: 'started', trace: `00-${traceId}-${start.spanId}-01` });
  }, MINUTES);

  it('is not disturbed by a collector that is not there', async () => {
    const second = nodesOf('ingestion')[1]!;
    expect(await post(second.url, '/v1/workflows', { workflowType: 'parcel', workflowId: 'untold', input: { id: 'untold', weighings: 1, waits: false } })).toBe(201);
    expect(await client.run('untold').result()).toBe('untold: 1 g, at once');
    await until('it says so', async () => (await logOf(second)).includes('traces could not be exported'));
  }, MINUTES);

  it('lets nobody in by its own routes who does not show the token', async () => {
    const response = await fetch(`${nodesOf('history')[0]!.url}/internal/deliveries`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    expect(response.status).toBe(401);
  });

  it.each(['history', 'scheduler', 'correlation', 'compensation'] as const)('loses nothing when a node of %s and a sidecar are killed under load', async (service) => {
    const going = load();
    await until('runs are under way', () => going.started() >= 5);
    const [first, second] = nodesOf(service);
    await first!.app.kill();
    // Without its sidecar the other sends nothing; whoever runs them starts it again.
    await second!.sidecar.kill();
    await second!.sidecar.restart();
    const before = going.started();
    await until('runs go on', () => going.started() >= before + 5);
    await first!.app.restart();
    await mesh.ready();
    await going.end();
  }, 5 * MINUTES);

  it('goes on without a node whose sidecar stays away, and has it back with its sidecar', async () => {
    const going = load(4);
    await until('runs are under way', () => going.started() >= 8);
    const [first, second] = nodesOf('history');
    await first!.sidecar.kill();
    await until('the other has all shards', () => ownsAll(second!));
    const before = going.started();
    await until('runs go on', () => going.started() >= before + 8);
    await first!.sidecar.restart();
    await until('it has its shards again', async () => !(await ownsAll(second!)));
    await mesh.ready();
    await going.end();
  }, 5 * MINUTES);

  const logOf = (node: MeshNodeProcess): Promise<string> => readFile(node.app.logFile, 'utf8');
  /** It has taken over what the other had. */
  const ownsAll = async (node: MeshNodeProcess): Promise<boolean> => (await owned(node)) === SHARDS;
  /** Slices, if it is ready. */
  const owned = async (node: MeshNodeProcess): Promise<number> => ((await (await fetch(`${node.url}/readyz`)).json()) as { owned?: number }).owned ?? 0;

  it('refuses the commits of a node that goes on, although its lease has run out', async () => {
    const going = load(8);
    await until('runs are under way', () => going.started() >= 16);
    const [zombie, other] = nodesOf('history');
    // It does not hear that it is no owner any more, and commits on.
    await toEtcd.cut('toServer');
    await toEtcd.cut('toClient');
    await until('the other has taken all shards over', () => ownsAll(other!));
    await until('a commit is refused', async () => /the batch was made at.*steps down from the slice/.test(await logOf(zombie!)));
    const before = going.started();
    await until('runs go on', () => going.started() >= before + 16);
    await toEtcd.heal();
    await mesh.ready();
    await going.end();
  }, 5 * MINUTES);

  it('fences a node that was held for longer than its lease', async () => {
    const going = load(8);
    await until('runs are under way', () => going.started() >= 16);
    const [zombie, other] = nodesOf('history');
    const seen = (await logOf(zombie!)).length;
    await toEtcd.cut('toServer');
    await toEtcd.cut('toClient');
    zombie!.app.pause();
    await until('the other has taken all shards over', () => ownsAll(other!));
    const before = going.started();
    await until('runs go on', () => going.started() >= before + 16);
    zombie!.app.resume();
    // Before a batch, if it was held for long: it makes sure that it is an owner still.
    await until('it steps down', async () => /the slice is at epoch.*steps down from the slice/.test((await logOf(zombie!)).slice(seen)));
    await toEtcd.heal();
    await mesh.ready();
    await going.end();
  }, 5 * MINUTES);

  it('shares its slices with a node more while it is busy, and has them back when that one goes', async () => {
    const going = load(8);
    await until('runs are under way', () => going.started() >= 16);
    const third = await mesh.add('history');
    await until('it owns some', async () => (await owned(third)) > 0);
    const before = going.started();
    await until('runs go on', () => going.started() >= before + 16);
    await third.app.kill('SIGTERM');
    await until('the others have all', async () => (await Promise.all(nodesOf('history').slice(0, 2).map(owned))).reduce((sum, each) => sum + each) === SHARDS);
    await going.end();
  }, 5 * MINUTES);

  it('is restarted node by node under load', async () => {
    const going = load();
    await until('runs are under way', () => going.started() >= 5);
    for (const node of mesh.nodes.filter(({ service }) => service !== 'ingestion')) await node.app.restart();
    const second = nodesOf('ingestion')[1]!;
    await second.app.restart();
    await mesh.ready();
    await going.end();
  }, 5 * MINUTES);

  it('has archived its logs behind all this and trimmed them, and they are whole', async () => {
    const sumOf = async (series: string): Promise<number> => (await Promise.all(nodesOf('history').map((node) => seriesOf(node, series)))).flat().reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    await until('all is archived', async () => (await sumOf('perdure_log_unarchived_records')) === 0);
    expect(await sumOf('perdure_log_archived_records_total')).toBeGreaterThan(0);
    const logs = await KafkaLogs.connect({ brokers: [mesh.servers.addresses.kafka], prefix: 'perdure', counts: { history: SHARDS, correlation: SHARDS }, clock: new SystemClock(), random: Math.random });
    const archive = new FolderLogArchive(join(folder, 'archive'));
    let trimmed = 0;
    for (let shard = 0; shard < SHARDS; shard++) {
      const [slice, log] = [`history/${shard}`, logs.of(`history/${shard}`)] as const;
      const records: LogRecord[] = [];
      for await (const record of wholeLog({ slice, archive, log })) records.push(record);
      const { begin, end } = await log.describe();
      trimmed += begin;
      expect(records.map(({ offset }) => offset)).toEqual(Array.from({ length: end }, (_, offset) => offset));
      expect(new Set(records.map(({ id }) => id)).size).toBe(end);
    }
    expect(trimmed).toBeGreaterThan(100);
    await logs.close();
  }, MINUTES);

  it('has told of nothing twice in all this, and so of nothing that a node did without committing it', () => {
    // What a stale owner has done another does again, under the same ids.
    const ids = collector.spans.filter(({ name }) => name.startsWith('input ')).map(({ spanId }) => spanId);
    expect(ids.length).toBeGreaterThan(100);
    expect(ids.length - new Set(ids).size).toBe(0);
  });
});
