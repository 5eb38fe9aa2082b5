import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { LIMITS, PROBLEMS, type Input, type InputOutcome, type ProblemCode } from '@perdure/contract';
import { EventTypes } from '@perdure/correlation';
import { ShardGateway, ShardMap, type ShardFigures } from '@perdure/embedded';
import type { InspectedBundle } from '@perdure/hosting';
import { createHttpApp, type HttpApp } from '@perdure/http';
import { ApiKeys } from '@perdure/ingestion';
import { ApiKeyAuthenticator, readOpenApi } from '@perdure/ingestion-feature';
import { MetaFile, ShardFile } from '@perdure/sqlite';
import { ServerMetrics } from '@perdure/telemetry';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { createHash, createHmac } from 'node:crypto';
import { BODY_LIMITS } from './adapters.js';
import { AppModule } from './app-module.js';
import { readConfig } from './config.js';
import { Readiness } from './operations-controller.js';

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly description?: string }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly responses: Readonly<Record<string, { readonly description: string }>>; readonly schemas: { readonly ProblemCode: { readonly enum: readonly string[] } } };
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const KEY = 'key';
const SECRET = 'secret';
const BUNDLE = 'b'.repeat(64);
const document = readOpenApi() as Document;
const operations = Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item).flatMap(([method, operation]) => (METHODS.includes(method) ? [{ path, method, operation }] : [])));
const nameOf = ({ path, method }: { readonly path: string; readonly method: string }): string => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;

/** Accepts whatever comes. */
class FakeShard extends ShardGateway {
  override append(inputs: readonly Input[]): Promise<readonly InputOutcome[]> {
    return Promise.resolve(inputs.map(({ kind }) => (kind === 'start' ? { kind: 'started', runId: 'run-1', created: true } : kind === 'update' ? { kind: 'updated', runId: 'run-1', outcome: { status: 'completed', value: 1 } } : { kind: 'accepted', runId: 'run-1' })));
  }
  override publish(events: readonly unknown[]): Promise<readonly ('accepted' | 'duplicate')[]> {
    return Promise.resolve(events.map(() => 'accepted'));
  }
  override query(): Promise<{ readonly value: number }> {
    return Promise.resolve({ value: 7 });
  }
  override poll(): Promise<{ tasks: []; cancel: [] }> {
    return Promise.resolve({ tasks: [], cancel: [] });
  }
  override answer(_: string, answers: readonly { readonly token: string }[]): Promise<{ token: string; status: 'recorded' }[]> {
    return Promise.resolve(answers.map(({ token }) => ({ token, status: 'recorded' })));
  }
  override heartbeat(_: string, requests: readonly unknown[]): Promise<{ status: 'ok' }[]> {
    return Promise.resolve(requests.map(() => ({ status: 'ok' })));
  }
  override inspect(): Promise<InspectedBundle> {
    return Promise.resolve({ hash: BUNDLE, workflows: ['Order'] });
  }
  override forgetBundle(): Promise<void> {
    return Promise.resolve();
  }
  override figures(): Promise<ShardFigures> {
    return Promise.resolve({ batches: 0, inputs: 0, commitFailures: 0, commitSeconds: 0, liveRealms: 0, queued: 0 });
  }
  override onHints(): void {}
  override drain(): Promise<void> {
    return Promise.resolve();
  }
  override close(): Promise<void> {
    return Promise.resolve();
  }
}

const started = { kind: 'started', run: { tenant: 'acme', workflowId: 'w/1', runId: 'r1' }, workflowType: 'Order', pin: { bundle: BUNDLE, abi: 1, sandbox: 's' }, chain: 'r1', input: { n: 1 } };
const scheduled = { kind: 'activityScheduled', seq: 1, name: 'charge', options: { queue: 'default', startToCloseTimeoutMs: 1, retry: { maxAttempts: 0, initialIntervalMs: 1, backoffCoefficient: 2, maxIntervalMs: 9 } } };

/** A run as the shard's thread would have written it. */
const writeRun = ({ db }: ShardFile): void => {
  const body = { pin: started.pin, memo: { a: 1 }, searchAttributes: { city: 'Rome', tags: ['x'] }, chain: 'r1', suspended: { kind: 'operator' } };
  db.prepare('insert into run values (1, ?, ?, ?, ?, ?, ?, ?, null, ?)').run('acme', 'w/1', 'r1', 'Order', 'suspended', BUNDLE, 5, JSON.stringify(body));
  db.prepare('insert into audit values (1, ?, ?, ?, ?)').run('a', 'acme', 'w/1', JSON.stringify({ id: 'a', run: started.run, at: 5, cause: 'code', kind: 'rollbackStarted', steps: 1 }));
  db.prepare('insert into wait values (?, 1, ?, ?, ?)').run('k', 'acme', 'w/1', JSON.stringify({ run: started.run, seq: 1, wait: { type: 't', match: { a: 1 } }, openedAt: 5 }));
};

const CONFIG = { ...readConfig({}), webhooks: { hub: { tenant: 'acme', scheme: { kind: 'github' as const }, secrets: [SECRET] } } };

interface Call {
  readonly headers?: Record<string, string>;
  readonly payload?: string | object;
}

describe('the OpenAPI document', () => {
  let app: HttpApp;
  const file = ShardFile.inMemory();
  const meta = new MetaFile(':memory:');
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, 'api');

  beforeAll(async () => {
    writeRun(file);
    meta.deploy('acme', { hash: BUNDLE, name: 'shop', code: 'x', workflows: ['Order'], createdAt: 5 });
    const keys = new ApiKeys([{ tenant: 'acme', sha256: createHash('sha256').update(KEY).digest('hex') }]);
    const eventTypes = new EventTypes();
    const map = new ShardMap(1);
    const module = AppModule.register({ config: CONFIG, clock: new ManualClock(), shard: new FakeShard(), meta, map, eventTypes, committed: [file.db], readiness: new Readiness(), metrics: new ServerMetrics() });
    app = await createHttpApp(module, { authenticator: new ApiKeyAuthenticator(keys), bodyBytesMax: LIMITS.payloadBytesMax, bodyBytesMaxByPrefix: BODY_LIMITS });
  });
  afterAll(async () => {
    await app.nest.close();
    meta.close();
    file.db.close();
  });

  const schemaOf = (pointer: string): ValidateFunction => ajv.compile({ $ref: `api#${pointer}` });
  const send = (method: string, url: string, { headers = {}, payload }: Call = {}) =>
    app.nest.inject({ method: method as 'GET', url, headers: { authorization: `Bearer ${KEY}`, ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, ...(payload === undefined ? {} : { payload }) });
  const escaped = (part: string): string => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
  const codesOf = ({ $ref, description }: { readonly $ref?: string; readonly description?: string }): string[] =>
    (description ?? document.components.responses[$ref!.split('/').at(-1)!]!.description).split(', ');

  it('has the routes of the application, and no others', () => {
    expect(operations.map(nameOf).sort()).toEqual(app.routes.list());
  });

  it('names every code, each beside its own status', () => {
    expect([...document.components.schemas.ProblemCode.enum].sort()).toEqual(Object.keys(PROBLEMS).sort());
    for (const { operation } of operations) {
      for (const [status, response] of Object.entries(operation.responses)) {
        if (Number(status) >= 400) expect(codesOf(response).map((code) => [code, PROBLEMS[code as ProblemCode]?.[0]])).toEqual(codesOf(response).map((code) => [code, Number(status)]));
      }
    }
  });

  it('has schemas that compile', () => {
    for (const name of Object.keys(document.components.schemas)) expect(() => schemaOf(`/components/schemas/${name}`)).not.toThrow();
  });

  it('is served', async () => {
    const response = await app.nest.inject({ method: 'GET', url: '/openapi.json' });
    expect([response.statusCode, response.json()]).toEqual([200, document]);
  });

  const run = '/v1/workflows/w%2F1';
  const event = { specversion: '1.0', id: 'e1', source: '/s', type: 't' };
  const token = { token: 't' };
  it.each<[path: string, method: string, url: string, status: number, call?: Call]>([
    ['/v1/workflows', 'get', '/v1/workflows?status=suspended', 200],
    ['/v1/workflows', 'post', '/v1/workflows', 201, { payload: { workflowType: 'Order', workflowId: 'w', input: null }, headers: { 'idempotency-key': 'k' } }],
    ['/v1/workflows', 'post', '/v1/workflows', 202, { payload: { workflowType: 'Order' }, headers: { prefer: 'respond-async' } }],
    ['/v1/workflows/{workflowId}', 'get', run, 200],
    ['/v1/workflows/{workflowId}/result', 'get', `${run}/result`, 200],
    ['/v1/workflows/{workflowId}/history', 'get', `${run}/history?limit=1`, 200],
    ['/v1/workflows/{workflowId}/inputs/{inputId}', 'get', `${run}/inputs/signal%2F1`, 200],
    ['/v1/workflows/{workflowId}/signals/{name}', 'post', `${run}/signals/go`, 200, { payload: { id: 's', input: 1 } }],
    ['/v1/workflows/{workflowId}/signals/{name}', 'post', `${run}/signals/go`, 202, { headers: { prefer: 'respond-async' } }],
    ['/v1/workflows/{workflowId}/updates/{name}', 'post', `${run}/updates/go`, 200],
    ['/v1/workflows/{workflowId}/queries/{name}', 'post', `${run}/queries/go`, 200],
    ['/v1/workflows/{workflowId}/cancel', 'post', `${run}/cancel`, 200, { payload: { reason: 'why' } }],
    ['/v1/workflows/{workflowId}/terminate', 'post', `${run}/terminate`, 200, { payload: { compensate: true } }],
    ['/v1/workflows/{workflowId}/suspend', 'post', `${run}/suspend`, 200],
    ['/v1/workflows/{workflowId}/resume', 'post', `${run}/resume`, 200, { payload: { bundle: BUNDLE } }],
    ['/v1/events', 'post', '/v1/events', 202, { payload: event, headers: { 'content-type': 'application/cloudevents+json' } }],
    ['/v1/events', 'post', '/v1/events', 202, { payload: [event], headers: { 'content-type': 'application/cloudevents-batch+json' } }],
    ['/v1/bundles', 'post', '/v1/bundles', 201, { payload: { name: 'shop', code: 'x' } }],
    ['/v1/bundles', 'get', '/v1/bundles', 200],
    ['/v1/bundles/{hash}', 'get', `/v1/bundles/${BUNDLE}`, 200],
    ['/v1/tasks/poll', 'post', '/v1/tasks/poll', 200, { payload: { worker: 'w', session: '1', queues: ['default'], slots: 1 } }],
    ['/v1/tasks/answers', 'post', '/v1/tasks/answers', 200, { payload: { answers: [{ ...token, kind: 'completed' }] } }],
    ['/v1/tasks/heartbeats', 'post', '/v1/tasks/heartbeats', 200, { payload: { heartbeats: [token] } }],
    ['/v1/waits', 'get', '/v1/waits?workflowId=w%2F1', 200],
    ['/v1/audit', 'get', '/v1/audit', 200],
    ['/healthz', 'get', '/healthz', 200],
    ['/readyz', 'get', '/readyz', 200],
  ])('describes what %s answers to %s %s with %i', async (path, method, url, status, call = {}) => {
    const response = await send(method.toUpperCase(), url, call);
    expect([response.statusCode, response.body]).toEqual([status, expect.anything()]);
    const validate = schemaOf(`/paths/${escaped(path)}/${method}/responses/${status}/content/${escaped('application/json')}/schema`);
    expect([validate(response.json()), validate.errors]).toEqual([true, null]);
  });

  it.each([
    ['a job', started],
    ['a command', scheduled],
    ['a mark', { kind: 'suspended', reason: { kind: 'voided', n: 3, limit: 'time', message: 'm' } }],
  ])('describes a history event: %s', (_, body) => {
    const validate = schemaOf('/components/schemas/HistoryEvent');
    expect([validate({ n: 1, at: 5, bundle: BUNDLE, ...body }), validate.errors]).toEqual([true, null]);
    expect(validate({ n: 1, at: 5, bundle: BUNDLE, ...body, other: 1 })).toBe(false);
  });

  const start = (over: object): Call => ({ payload: { workflowType: 'Order', ...over } });
  it.each<[what: string, path: string, code: ProblemCode, url: string, call?: Call]>([
    ['malformed JSON', '/v1/workflows', 'malformed-json', '', { payload: '{"a":' }],
    ['an unknown field', '/v1/workflows', 'invalid-request', '', start({ nome: 1 })],
    ['a wrong type', '/v1/workflows', 'invalid-request', '', { payload: { workflowType: 7 } }],
    ['no object', '/v1/workflows', 'invalid-request', '', { payload: '[]' }],
    ['an id over 512 bytes', '/v1/workflows', 'invalid-id', '', start({ workflowId: 'é'.repeat(257) })],
    ['a control character', '/v1/workflows', 'invalid-id', '', start({ workflowId: 'a\u0007' })],
    ['an id that no URL can name', '/v1/workflows', 'invalid-id', '', start({ workflowId: '..' })],
    ['an empty id', '/v1/workflows', 'invalid-id', '', start({ id: '' })],
    ['an unknown workflow', '/v1/workflows', 'unknown-workflow', '', { payload: { workflowType: 'Ordre' } }],
    ['an unknown bundle', '/v1/workflows', 'unknown-bundle', '', start({ bundle: 'c'.repeat(64) })],
    ['a negative duration', '/v1/workflows', 'invalid-duration', '', start({ runTimeoutMs: -1 })],
    ['another tenant', '/v1/workflows', 'forbidden', '', { ...start({}), headers: { 'perdure-tenant': 'other' } }],
    ['a wrong key', '/v1/workflows', 'unauthenticated', '', { ...start({}), headers: { authorization: 'Bearer other' } }],
    ['a body over 2 MiB', '/v1/workflows', 'payload-too-large', '', start({ input: 'x'.repeat(LIMITS.payloadBytesMax) })],
    ['another media type', '/v1/workflows', 'unsupported-media-type', '', { payload: '<a/>', headers: { 'content-type': 'text/xml' } }],
    ['attributes over their limit', '/v1/workflows', 'limit-exceeded', '', start({ memo: { a: 'x'.repeat(LIMITS.attributesBytesMax) } })],
    ['an id of 512 characters that is too long in bytes', '/v1/workflows/{workflowId}/cancel', 'invalid-id', `/v1/workflows/${encodeURIComponent('é'.repeat(512))}/cancel`],
    ['a path that does not decode', '/v1/workflows/{workflowId}/cancel', 'invalid-request', '/v1/workflows/%ff/cancel'],
    ['a control character in a path', '/v1/workflows/{workflowId}/cancel', 'invalid-id', '/v1/workflows/a%00/cancel'],
    ['a wrong signature', '/v1/webhooks/{source}', 'invalid-signature', '/v1/webhooks/hub', { payload: '{}', headers: { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` } }],
    ['no signature', '/v1/webhooks/{source}', 'invalid-signature', '/v1/webhooks/hub', { payload: '{}' }],
    ['an unknown source', '/v1/webhooks/{source}', 'unknown-source', '/v1/webhooks/nobody', { payload: '{}' }],
    ['an event without an id', '/v1/events', 'invalid-request', '/v1/events', { payload: { ...event, id: undefined } }],
    ['too many events', '/v1/events', 'limit-exceeded', '/v1/events', { payload: Array.from({ length: LIMITS.batchEventsMax + 1 }, () => event) }],
    ['an absurd number of slots', '/v1/tasks/poll', 'invalid-request', '/v1/tasks/poll', { payload: { worker: 'w', session: '1', queues: ['q'], slots: 1e9 } }],
  ])('describes the problem: %s', async (_, path, code, url, call = {}) => {
    const response = await send('POST', url === '' ? path : url, call);
    const problem: unknown = response.json();
    expect(problem).toMatchObject({ code, status: PROBLEMS[code][0] });
    expect([response.statusCode, response.headers['content-type']]).toEqual([PROBLEMS[code][0], expect.stringContaining('application/problem+json')]);
    const validate = schemaOf('/components/schemas/Problem');
    expect([validate(problem), validate.errors]).toEqual([true, null]);
    expect(codesOf(document.paths[path]!['post']!.responses[String(response.statusCode)]!)).toContain(code);
  });

  it('describes a genuine delivery', async () => {
    const payload = JSON.stringify({ action: 'opened' });
    const headers = { 'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(payload).digest('hex')}`, 'x-github-event': 'issues', 'x-github-delivery': 'd1' };
    const response = await send('POST', '/v1/webhooks/hub', { payload, headers });
    expect([response.statusCode, response.json()]).toEqual([202, { events: [{ source: '/webhooks/hub', id: 'd1', status: 'accepted' }] }]);
    expect(schemaOf('/components/schemas/PublishedEvents')(response.json())).toBe(true);
  });

  it('finds an input by the longest id that a start may have', async () => {
    const response = await send('GET', `${run}/inputs/${encodeURIComponent(`start/${'€'.repeat(170)}`)}`);
    expect([response.statusCode, response.json()]).toEqual([200, expect.objectContaining({ status: 'pending' })]);
  });

  it.each(['/v1/workflows/nobody', '/v1/workflows/nobody/result', '/v1/workflows/nobody/history'])('describes the problem of a run that is not there: %s', async (url) => {
    const response = await send('GET', url);
    expect([response.statusCode, response.json()]).toEqual([404, expect.objectContaining({ code: 'unknown-run' })]);
    expect(schemaOf('/components/schemas/Problem')(response.json())).toBe(true);
  });

  it.each([
    '/v1/workflows?limit=0', '/v1/workflows?limit=a', '/v1/workflows?status=odd', '/v1/workflows?city=Rome', '/v1/workflows?cursor=a', '/v1/workflows?type=a&type=b', '/v1/waits', '/v1/audit?cursor=a',
    `${run}?runid=a`, `${run}/history?after=-1`, `${run}/result?wait=61`,
  ])('refuses the query of %s', async (url) => {
    const response = await send('GET', url);
    expect([response.statusCode, response.json()]).toEqual([400, expect.objectContaining({ code: 'invalid-request' })]);
  });
});
