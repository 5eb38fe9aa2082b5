import { createHmac } from 'node:crypto';
import { LIMITS, type ProblemCode } from '@perdure/contract';
import { SECRET } from './world.js';
import type { Asked } from './asked.js';

export type Case = readonly [what: string, code: ProblemCode, asked: Asked];

const LONG_ID = 'i'.repeat(LIMITS.idBytesMax + 1);
/** Fewer characters than bytes are allowed, but more bytes. */
const WIDE_ID = '\u20ac'.repeat(LIMITS.idBytesMax / 3 + 1);
const OVER = 'x'.repeat(LIMITS.payloadBytesMax);
const NO_BUNDLE = 'c'.repeat(64);

const start = (over: object): Asked => ({ path: '/v1/workflows', body: { workflowType: 'waiter', workflowId: 'new', ...over } });
const to = (path: string, body?: unknown): Asked => ({ path: `/v1/workflows/${path}`, ...(body === undefined ? {} : { body }) });
const get = (path: string): Asked => ({ method: 'GET', path });

/** Every route that takes a body, with one that it would take. */
const BODIES: readonly (readonly [path: string, body: object])[] = [
  ['/v1/workflows', { workflowType: 'waiter', workflowId: 'new' }],
  ['/v1/workflows/open/signals/go', { input: 'now' }],
  ['/v1/workflows/open/updates/add', { input: 1 }],
  ['/v1/workflows/open/queries/stage', {}],
  ['/v1/workflows/open/cancel', { reason: 'why' }],
  ['/v1/workflows/open/terminate', { compensate: true }],
  ['/v1/workflows/open/suspend', {}],
  ['/v1/workflows/held/resume', {}],
  ['/v1/bundles', { name: 'n', code: 'c' }],
  ['/v1/tasks/poll', { worker: 'w', session: 's', queues: ['q'], slots: 1 }],
  ['/v1/tasks/answers', { answers: [] }],
  ['/v1/tasks/heartbeats', { heartbeats: [] }],
];

const malformed: readonly Case[] = [...BODIES.map(([path]) => path), '/v1/events'].flatMap((path): Case[] => [
  [`half an object to ${path}`, 'malformed-json', { path, body: '{"a":' }],
  [`bytes that are no UTF-8 to ${path}`, 'malformed-json', { path, body: Buffer.from([0x22, 0xff, 0x22]) }],
  [`a __proto__ key to ${path}`, 'invalid-request', { path, body: '{"__proto__":{}}' }],
  [`a list in a list to ${path}`, 'invalid-request', { path, body: '[[]]' }],
  [`text to ${path}`, 'unsupported-media-type', { path, body: 'a', headers: { 'content-type': 'text/plain' } }],
  [`a form to ${path}`, 'unsupported-media-type', { path, body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
]);

const unknownFields = BODIES.map(([path, body]): Case => [`an unknown field to ${path}`, 'invalid-request', { path, body: { ...body, nome: 1 } }]);

const wrongTypes: readonly Case[] = [
  ...BODIES.flatMap(([path, body]) => Object.keys(body).filter((field) => field !== 'input').map((field): Case => [`${field} as a list of lists to ${path}`, 'invalid-request', { path, body: { ...body, [field]: [[]] } }])),
  ['no workflow type', 'invalid-request', { path: '/v1/workflows', body: {} }],
  ['a search attribute that is an object', 'invalid-request', start({ searchAttributes: { city: {} } })],
  ['a search attribute with a space in its name', 'invalid-request', start({ searchAttributes: { 'the city': 'Rome' } })],
  ['a bundle that is no hash', 'invalid-request', start({ bundle: 'latest' })],
  ['a reason as long as a book', 'invalid-request', to('open/cancel', { reason: 'x'.repeat(5_000) })],
];

const tooLarge: readonly Case[] = [
  ...BODIES.filter(([path]) => path.startsWith('/v1/workflows')).map(([path, body]): Case => [`over 2 MiB to ${path}`, 'payload-too-large', { path, body: { ...body, input: OVER } }]),
  ['an event over 2 MiB', 'payload-too-large', { path: '/v1/events', body: { specversion: '1.0', id: 'e', source: '/s', type: 't', data: OVER } }],
  ['a delivery over 2 MiB', 'payload-too-large', { path: '/v1/webhooks/hub', body: { a: OVER } }],
  ['a body that says it is over 2 MiB', 'payload-too-large', { path: '/v1/workflows', headers: { 'content-length': String(LIMITS.payloadBytesMax + 1), 'content-type': 'application/json' } }],
  ['attributes over their limit', 'limit-exceeded', start({ memo: { a: 'x'.repeat(LIMITS.attributesBytesMax) } })],
  ['a bundle over its limit', 'payload-too-large', { path: '/v1/bundles', body: { name: 'n', code: 'x'.repeat(LIMITS.bundleBytesMax + 1) } }],
];

const BAD_IDS = { 'a control character': 'a\u0007b', 'a zero': 'a\u0000', 'a line end': 'a\nb', 'a C1 character': 'a\u0085', 'a line separator': 'a\u2028', 'half a surrogate pair': 'a\ud800', '513 bytes': LONG_ID, '513 bytes in fewer characters': WIDE_ID } as const;

const ids: readonly Case[] = Object.entries(BAD_IDS).flatMap(([what, id]): Case[] => {
  const inPath: Case[] = id.isWellFormed() ? ['signals/go', 'queries/stage', 'cancel'].map((rest) => [`${what} in the path of ${rest}`, 'invalid-id', to(`${encodeURIComponent(id)}/${rest}`, {})]) : [];
  const read: Case[] = id.isWellFormed() ? ['', '/result', '/history', '/inputs/a'].map((rest) => [`${what} in the path of a reading${rest}`, 'invalid-id', get(`/v1/workflows/${encodeURIComponent(id)}${rest}`)]) : [];
  return [
    [`${what} in a workflow id`, 'invalid-id', start({ workflowId: id })],
    [`${what} in a start's id`, 'invalid-id', start({ id })],
    [`${what} in a workflow's name`, 'invalid-id', start({ workflowType: id })],
    [`${what} in a signal's id`, 'invalid-id', to('open/signals/go', { id })],
    [`${what} in a run's id`, 'invalid-id', to('open/signals/go', { runId: id })],
    [`${what} in an event's id`, 'invalid-id', { path: '/v1/events', body: { specversion: '1.0', id, source: '/s', type: 't' } }],
    [`${what} in an event's source`, 'invalid-id', { path: '/v1/events', body: { specversion: '1.0', id: 'e', source: id, type: 't' } }],
    [`${what} in an event's type`, 'invalid-id', { path: '/v1/events', body: { specversion: '1.0', id: 'e', source: '/s', type: id } }],
    [`${what} in a bundle's name`, 'invalid-id', { path: '/v1/bundles', body: { name: id, code: 'c' } }],
    ...inPath,
    ...read,
  ];
});

const emptyIds: readonly Case[] = [
  ['an empty workflow id', 'invalid-id', start({ workflowId: '' })],
  ['an empty start id', 'invalid-id', start({ id: '' })],
  ['an empty signal id', 'invalid-id', to('open/signals/go', { id: '' })],
  ['two idempotency keys', 'invalid-request', { ...start({}), headers: { 'idempotency-key': ['a', 'b'] } }],
];

const unknown: readonly Case[] = [
  ['an unknown workflow', 'unknown-workflow', start({ workflowType: 'waitress' })],
  ['an unknown bundle', 'unknown-bundle', start({ bundle: NO_BUNDLE })],
  ['a signal that is not declared', 'unknown-signal', to('open/signals/gone', {})],
  ['a query that is not declared', 'unknown-query', to('open/queries/age', {})],
  ['an update that is not declared', 'unknown-update', to('open/updates/subtract', {})],
  ['a resume on an unknown bundle', 'unknown-bundle', to('held/resume', { bundle: NO_BUNDLE })],
  ['reading an unknown bundle', 'unknown-bundle', get(`/v1/bundles/${NO_BUNDLE}`)],
  ['retiring an unknown bundle', 'unknown-bundle', { method: 'DELETE', path: `/v1/bundles/${NO_BUNDLE}` }],
  ...['signals/go', 'queries/stage', 'updates/add', 'cancel', 'terminate', 'suspend', 'resume'].flatMap((rest): Case[] => [
    [`${rest} of a run that is not there`, 'unknown-run', to(`nobody/${rest}`, {})],
    [`${rest} of another run of the same workflow id`, 'unknown-run', to(`open/${rest}`, { runId: 'another' })],
  ]),
  ...['', '/result', '/history'].flatMap((rest): Case[] => [
    [`reading${rest} of a run that is not there`, 'unknown-run', get(`/v1/workflows/nobody${rest}`)],
    [`reading${rest} of another run of the same workflow id`, 'unknown-run', get(`/v1/workflows/open${rest}?runId=another`)],
  ]),
];

const conflicts: readonly Case[] = [
  ['a start with other input', 'workflow-exists', start({ workflowId: 'open', input: 'other' })],
  ['a start of another type', 'workflow-exists', start({ workflowId: 'open', workflowType: 'quick' })],
  ['a start under a used id, with other input', 'workflow-exists', { path: '/v1/workflows', body: { workflowType: 'quick', workflowId: 'closed', id: 'first', input: 'other' } }],
  ['a signal to a closed run', 'run-closed', to('closed/signals/go', {})],
  ['an update of a closed run', 'run-closed', to('closed/updates/add', { input: 1 })],
  ['cancelling a closed run', 'run-closed', to('closed/cancel', {})],
  ['an update of a suspended run', 'run-suspended', to('held/updates/add', { input: 1 })],
  ['resuming a run that is not suspended', 'run-not-suspended', to('open/resume', {})],
  ['an update that its validator refuses', 'update-refused', to('open/updates/add', { input: 'one' })],
  ['a query whose handler throws', 'query-failed', to('open/queries/broken', {})],
];

const durations: readonly Case[] = [-1, 0, -0.5, LIMITS.durationMsMax + 1, 1e300].map((runTimeoutMs): Case => [`a run timeout of ${runTimeoutMs} ms`, 'invalid-duration', start({ runTimeoutMs })]);
const moreDurations: readonly Case[] = [
  ['a run timeout beyond any number', 'invalid-request', { path: '/v1/workflows', body: '{"workflowType":"waiter","workflowId":"new","runTimeoutMs":1e999}' }],
  ['a run timeout in words', 'invalid-request', start({ runTimeoutMs: '7 days' })],
  ['a poll of an hour', 'invalid-request', { path: '/v1/tasks/poll', body: { worker: 'w', session: 's', queues: ['q'], slots: 1, waitMs: 3_600_000 } }],
  ['a poll of less than no time', 'invalid-request', { path: '/v1/tasks/poll', body: { worker: 'w', session: 's', queues: ['q'], slots: 1, waitMs: -1 } }],
  ['an attempt to be retried in a thousand years', 'invalid-request', { path: '/v1/tasks/answers', body: { answers: [{ token: 't', kind: 'failed', error: { type: 'E', message: 'm' }, retryAfterMs: 1e15 }] } }],
  ['an attempt to be retried before it failed', 'invalid-request', { path: '/v1/tasks/answers', body: { answers: [{ token: 't', kind: 'failed', error: { type: 'E', message: 'm' }, retryAfterMs: -1 }] } }],
];

const bundles: readonly Case[] = [
  ['a bundle that does not parse', 'bundle-invalid', { path: '/v1/bundles', body: { name: 'n', code: 'export const = ;' } }],
  ['a bundle that throws', 'bundle-invalid', { path: '/v1/bundles', body: { name: 'n', code: 'throw new Error("no")' } }],
  ['a bundle that never ends', 'bundle-invalid', { path: '/v1/bundles', body: { name: 'n', code: 'for (;;);' } }],
  ['a bundle that eats memory', 'bundle-invalid', { path: '/v1/bundles', body: { name: 'n', code: 'const a = []; for (;;) a.push(new Uint8Array(65536));' } }],
  ['a bundle without the workflow runtime', 'bundle-invalid', { path: '/v1/bundles', body: { name: 'n', code: 'var a = 1;' } }],
  ['an empty bundle', 'bundle-invalid', { path: '/v1/bundles', body: { name: 'n', code: '' } }],
  ['retiring a bundle that runs need', 'bundle-in-use', { method: 'DELETE', path: '/v1/bundles/BUNDLE' }],
];

const DELIVERY = JSON.stringify({ id: 'd1', type: 'ping' });
const hmac = (text: string, encoding: 'hex' | 'base64' = 'hex', secret = SECRET): string => createHmac('sha256', secret).update(text).digest(encoding);
const standard = ({ at = Date.now(), id = 'd1', signed = DELIVERY, secret = SECRET }: { at?: number; id?: string; signed?: string; secret?: string }) => {
  const seconds = Math.floor(at / 1000);
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${hmac(`${id}.${seconds}.${signed}`, 'base64', secret)}` };
};
const without = (headers: Record<string, string>, name: string): Record<string, string> => Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
const STALE_MS = 6 * 60_000;
/** Signed when this file is loaded; a busy machine may send it many minutes later. */
const EARLY_MS = 3_600_000;
const delivery = (source: string, headers: Record<string, string>, body = DELIVERY): Asked => ({ path: `/v1/webhooks/${source}`, body, headers, key: '' });

const webhooks: readonly Case[] = [
  ['an unknown source', 'unknown-source', delivery('nobody', {})],
  ['GitHub: no signature', 'invalid-signature', delivery('hub', {})],
  ['GitHub: an empty signature', 'invalid-signature', delivery('hub', { 'x-hub-signature-256': '' })],
  ['GitHub: a signature by another secret', 'invalid-signature', delivery('hub', { 'x-hub-signature-256': `sha256=${hmac(DELIVERY, 'hex', 'guessed')}` })],
  ['GitHub: a signature of another body', 'invalid-signature', delivery('hub', { 'x-hub-signature-256': `sha256=${hmac(`${DELIVERY} `)}` })],
  ['GitHub: a signature cut short', 'invalid-signature', delivery('hub', { 'x-hub-signature-256': `sha256=${hmac(DELIVERY).slice(0, 32)}` })],
  ['GitHub: the old signature alone', 'invalid-signature', delivery('hub', { 'x-hub-signature': `sha1=${createHmac('sha1', SECRET).update(DELIVERY).digest('hex')}` })],
  ['GitHub: signed, but no JSON', 'malformed-json', delivery('hub', { 'x-hub-signature-256': `sha256=${hmac('not JSON')}`, 'x-github-event': 'issues', 'x-github-delivery': 'd' }, 'not JSON')],
  ['GitHub: signed, but without an id', 'invalid-request', delivery('hub', { 'x-hub-signature-256': `sha256=${hmac(DELIVERY)}`, 'x-github-event': 'issues' })],
  ['GitHub: signed, with an id of 513 bytes', 'invalid-id', delivery('hub', { 'x-hub-signature-256': `sha256=${hmac(DELIVERY)}`, 'x-github-event': 'issues', 'x-github-delivery': LONG_ID })],
  ['Standard: a delivery of six minutes ago', 'invalid-signature', delivery('standard', standard({ at: Date.now() - STALE_MS }))],
  ['Standard: a delivery of an hour from now', 'invalid-signature', delivery('standard', standard({ at: Date.now() + EARLY_MS }))],
  ['Standard: a signature of another body', 'invalid-signature', delivery('standard', standard({ signed: '{}' }))],
  ['Standard: a signature by another secret', 'invalid-signature', delivery('standard', standard({ secret: 'guessed' }))],
  ['Standard: a signature for another id', 'invalid-signature', delivery('standard', { ...standard({}), 'webhook-id': 'd2' })],
  ['Standard: a time that is none', 'invalid-signature', delivery('standard', { ...standard({}), 'webhook-timestamp': 'now' })],
  ...['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name): Case => [`Standard: no ${name}`, 'invalid-signature', delivery('standard', without(standard({}), name))]),
  ['HMAC: a time that is not signed', 'invalid-signature', delivery('timed', { 'x-time': String(Math.floor(Date.now() / 1000)), 'x-signature': hmac(DELIVERY) })],
  ['HMAC: a stale time', 'invalid-signature', delivery('timed', { 'x-time': '1600000000', 'x-signature': hmac(`1600000000.${DELIVERY}`) })],
];

const tenants: readonly Case[] = [
  ['no key', 'unauthenticated', { ...start({}), key: '' }],
  ['a wrong key', 'unauthenticated', { ...start({}), key: 'guessed' }],
  ['a key of another scheme', 'unauthenticated', { ...start({}), key: '', headers: { authorization: 'Basic YTpi' } }],
  ['a key, and the name of another tenant', 'forbidden', { ...start({}), headers: { 'perdure-tenant': 'other' } }],
  ['no key, to what does not exist', 'unauthenticated', { ...get('/v1/nothing'), key: '' }],
  ...['signals/go', 'queries/stage', 'updates/add', 'cancel', 'terminate', 'suspend', 'resume'].map((rest): Case => [`${rest} of another tenant's run`, 'unknown-run', to(`theirs/${rest}`, {})]),
  ...['', '/result', '/history'].map((rest): Case => [`reading${rest} of another tenant's run`, 'unknown-run', get(`/v1/workflows/theirs${rest}`)]),
];

const queries: readonly Case[] = [
  ...['limit=0', 'limit=1001', 'limit=ten', 'limit=1.5', 'limit=-1', 'status=odd', 'city=Rome', 'cursor=nonsense', 'cursor=', 'cursor=MTIz', 'type=a&type=b', 'status=', 'limit='].map((query): Case => [`a list with ${query}`, 'invalid-request', get(`/v1/workflows?${query}`)]),
  ...['after=-1', 'after=x', 'limit=0', 'page=2'].map((query): Case => [`a history with ${query}`, 'invalid-request', get(`/v1/workflows/open/history?${query}`)]),
  ...['wait=61', 'wait=-1', 'wait=soon', 'waits=1'].map((query): Case => [`a result with ${query}`, 'invalid-request', get(`/v1/workflows/open/result?${query}`)]),
  ['a run with an unknown parameter', 'invalid-request', get('/v1/workflows/open?runid=a')],
  ['waits of no workflow', 'invalid-request', get('/v1/waits')],
  ['waits with an unknown parameter', 'invalid-request', get('/v1/waits?workflowId=open&limit=1')],
  ...['cursor=nonsense', 'limit=0', 'limit=1001', 'run=1'].map((query): Case => [`an audit with ${query}`, 'invalid-request', get(`/v1/audit?${query}`)]),
];

const events: readonly Case[] = [
  ['an event with binary data, which would be lost', 'invalid-request', { path: '/v1/events', body: { specversion: '1.0', id: 'e', source: '/s', type: 't', data_base64: 'AAEC' } }],
  ['a compressed event', 'unsupported-media-type', { path: '/v1/events', body: { specversion: '1.0', id: 'e', source: '/s', type: 't' }, headers: { 'content-encoding': 'gzip' } }],
  ['an event of another version', 'invalid-request', { path: '/v1/events', body: { specversion: '0.3', id: 'e', source: '/s', type: 't' } }],
  ['an event with a time that is none', 'invalid-request', { path: '/v1/events', body: { specversion: '1.0', id: 'e', source: '/s', type: 't', time: 'noon' } }],
  ...['id', 'source', 'type'].map((name): Case => [`an event without ${name}`, 'invalid-request', { path: '/v1/events', body: { specversion: '1.0', id: 'e', source: '/s', type: 't', [name]: undefined } }]),
  ['no event at all', 'invalid-request', { path: '/v1/events' }],
  ['a batch that is none', 'invalid-request', { path: '/v1/events', body: {}, headers: { 'content-type': 'application/cloudevents-batch+json' } }],
  ['a batch of which one is bad', 'invalid-request', { path: '/v1/events', body: [{ specversion: '1.0', id: 'e', source: '/s', type: 't' }, {}] }],
  ['too many events', 'limit-exceeded', { path: '/v1/events', body: Array.from({ length: LIMITS.batchEventsMax + 1 }, (_, n) => ({ specversion: '1.0', id: `e${n}`, source: '/s', type: 't' })) }],
  ['an attribute that is not percent-encoded', 'invalid-request', { path: '/v1/events', body: {}, headers: { 'ce-specversion': '1.0', 'ce-id': '%zz', 'ce-source': '/s', 'ce-type': 't' } }],
];

const tasks: readonly Case[] = [
  ['an absurd number of slots', 'invalid-request', { path: '/v1/tasks/poll', body: { worker: 'w', session: 's', queues: ['q'], slots: 1e9 } }],
  ['no queue', 'invalid-request', { path: '/v1/tasks/poll', body: { worker: 'w', session: 's', queues: [], slots: 1 } }],
  ['an answer of an unknown kind', 'invalid-request', { path: '/v1/tasks/answers', body: { answers: [{ token: 't', kind: 'done' }] } }],
  ['too many answers', 'invalid-request', { path: '/v1/tasks/answers', body: { answers: Array.from({ length: LIMITS.pollSlotsMax + 1 }, () => ({ token: 't', kind: 'completed' })) } }],
  ['a heartbeat of no attempt', 'invalid-request', { path: '/v1/tasks/heartbeats', body: { heartbeats: [{}] } }],
];

const routes: readonly Case[] = [
  ['a resource that is not there', 'unknown-route', get('/v1/nothing')],
  ['a version that is not there', 'unknown-route', get('/v2/workflows')],
  ['a path that does not decode', 'invalid-request', to('%ff/cancel', {})],
  ['a path that climbs', 'unknown-route', get('/v1/../../etc/passwd')],
  ['an unknown operation of a run', 'unknown-route', to('open/explode', {})],
  ...(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'] as const).map((method): Case => [`${method} of the list`, 'method-not-allowed', { method, path: '/v1/workflows' }]),
  ['POST to a run', 'method-not-allowed', to('open', {})],
  ['GET of a signal', 'method-not-allowed', get('/v1/workflows/open/signals/go')],
  ['DELETE of a run', 'method-not-allowed', { method: 'DELETE', path: '/v1/workflows/open' }],
  ['a URL that is too long', 'header-too-large', get(`/v1/workflows?workflowId=${'a'.repeat(20_000)}`)],
  ['a header that is too long', 'header-too-large', { ...get('/v1/workflows'), headers: { 'x-long': 'a'.repeat(20_000) } }],
  ['too many headers', 'header-too-large', { ...get('/v1/workflows'), headers: Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`x-${n}`, 'value'])) }],
];

/** Issue by issue of what a client can get wrong, each with the code that it is answered. */
export const CASES: Readonly<Record<string, readonly Case[]>> = {
  'what is not JSON, or not ours': malformed,
  'unknown fields': unknownFields,
  'wrong types': wrongTypes,
  'too large': tooLarge,
  'ids': [...ids, ...emptyIds],
  'what is not there': unknown,
  'what is so no longer, or already': conflicts,
  'durations': [...durations, ...moreDurations],
  'bundles': bundles,
  'webhooks': webhooks,
  'credentials and tenants': tenants,
  'queries': queries,
  'events': events,
  'workers': tasks,
  'routes, methods and headers': routes,
};
