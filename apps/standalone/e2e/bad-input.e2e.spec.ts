import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PROBLEMS, type ProblemCode } from '@perdure/contract';
import { Client } from '@perdure/sdk/client';
import { Worker } from '@perdure/sdk/node';
import { ask } from './bad-input/asked.js';
import { CASES } from './bad-input/cases.js';
import { ACME, ApiWorld } from './bad-input/world.js';

const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

const problemOf = (code: ProblemCode) => {
  const [status, title] = PROBLEMS[code];
  return { type: `urn:perdure:problem:${code}`, title, status, code, detail: expect.stringMatching(/./) };
};

jest.setTimeout(300_000);

describe('bad input', () => {
  let world: ApiWorld;
  beforeAll(async () => {
    world = await ApiWorld.open();
  });
  afterAll(() => world.close());

  /** Bytes that no HTTP client would send. */
  const say = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(world.url);
      const socket = connect(Number(port), hostname, () => socket.end(text));
      let answer = '';
      socket.on('data', (chunk) => (answer += String(chunk)));
      socket.on('end', () => resolve(answer));
      socket.on('error', reject);
    });

  describe.each(Object.entries(CASES))('%s', (_area, cases) => {
    it.each(cases)('%s: %s, and nothing has changed', async (_what, code, asked) => {
      const before = world.stored.dump();
      const answer = await ask(world.url, { key: ACME, ...asked, path: asked.path.replace('BUNDLE', world.bundle) });
      const { errors: _errors, ...problem } = JSON.parse(answer.body) as { readonly errors?: unknown };
      expect([answer.status, answer.type, problem]).toEqual([PROBLEMS[code][0], PROBLEM_JSON, problemOf(code)]);
      expect(world.stored.dump()).toEqual(before);
    });
  });

  it.each(['GARBAGE\r\n\r\n', 'BREW /v1/workflows HTTP/1.1\r\nhost: a\r\n\r\n', 'GET /v1/workflows HTTP/1.1\r\nno colon\r\n\r\n'])('answers a problem to what is no HTTP: %j', async (text) => {
    const [head, body] = (await say(text)).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(head).toContain(PROBLEM_JSON);
    expect(JSON.parse(body!)).toEqual(problemOf('invalid-request'));
  });

  it.each([
    ['/healthz', 200, undefined],
    ['/v1/workflows', 200, undefined],
    ['/v1/workflows/nobody', 404, PROBLEM_JSON],
    ['/v1/workflows/open/cancel', 405, PROBLEM_JSON],
    ['/v1/nothing', 404, PROBLEM_JSON],
  ])('answers HEAD %s as GET would be, without a body', async (path, status, type) => {
    const answer = await ask(world.url, { method: 'HEAD', path, key: ACME });
    expect([answer.status, answer.body]).toEqual([status, '']);
    if (type) expect(answer.type).toBe(type);
  });

  it('names the methods that a resource takes', async () => {
    expect((await ask(world.url, { method: 'PUT', path: '/v1/workflows', key: ACME })).headers['allow']?.toString().split(', ').sort()).toEqual(['GET', 'POST']);
  });

  it('asks for a credential by its scheme', async () => {
    expect((await ask(world.url, { method: 'GET', path: '/v1/workflows' })).headers['www-authenticate']).toBe('Bearer');
  });

  // RFC 7240: what is not understood is ignored.
  it.each(['wait=soon', 'wait=-1', 'wait', 'respond-async=perhaps', 'handling=strict'])('passes over Prefer: %s', async (prefer) => {
    const before = world.stored.dump();
    const answer = await ask(world.url, { path: '/v1/workflows', body: { workflowType: 'quick', workflowId: `prefer-${prefer}`, input: 'in' }, headers: { prefer }, key: ACME });
    expect(answer.status).toBe(201);
    // So the comparison above would have seen a change.
    expect(world.stored.dump()).not.toEqual(before);
  });

  it('says of a run whose activity no worker has which one is missing', async () => {
    const options = { url: world.url, apiKey: ACME };
    const worker = new Worker({ ...options, activities: { other: () => undefined }, log: () => undefined });
    const client = new Client(options);
    const working = worker.run();
    const run = await client.start('lonely', { workflowId: 'lonely' });
    await expect(run.result()).rejects.toMatchObject({ status: 'failed', cause: { name: 'ActivityFailed', cause: { name: 'UnknownActivity', message: expect.stringContaining('no activity "missing"; it has: other') } } });
    await worker.shutdown();
    await working;
    await client.close();
  });
});
