import { describe, expect, it } from '@jest/globals';
import { TerminalError } from '../common/errors.js';
import { Api } from './api.js';
import { Client } from './client.js';
import { RunHandle } from './run-handle.js';
import type { HttpAnswer, HttpRequest } from './transport.js';

/** Answers in this order; has what was asked. */
const serverOf = (answers: readonly HttpAnswer[]): { readonly api: Api; readonly asked: HttpRequest[] } => {
  const asked: HttpRequest[] = [];
  const left = [...answers];
  const send = async (request: HttpRequest): Promise<HttpAnswer> => {
    asked.push(request);
    const next = left.shift();
    if (!next) throw new Error('It was asked once too often.');
    return next;
  };
  return { api: new Api({ send, retryForMs: 60_000, random: () => 0 }), asked };
};

const PENDING: HttpAnswer = { status: 202, body: JSON.stringify({ workflowId: 'w', inputId: 'signal/s', status: 'pending' }) };
const CLOSED: HttpAnswer = { status: 409, body: JSON.stringify({ code: 'run-closed', detail: 'The run is over.' }) };

describe('Client', () => {
  it('executes the run that it started, not another one of the workflow id', async () => {
    const asked: string[] = [];
    const client = new Client({ transport: async ({ method, path }) => {
      asked.push(path);
      return { status: 200, body: JSON.stringify(method === 'POST' ? { runId: 'r1', created: false } : { status: 'completed', runId: 'r1', result: 5 }) };
    } });
    expect(await client.execute('w', { workflowId: 'order-7' })).toBe(5);
    expect(asked[1]).toContain('/v1/workflows/order-7/result?runId=r1&');
  });
});

describe('an attempt that completes later', () => {
  it('is completed and failed by its token', async () => {
    const bodies: unknown[] = [];
    const client = new Client({ transport: async ({ path, body }) => {
      bodies.push([path, JSON.parse(body ?? '')]);
      return { status: 200, body: JSON.stringify({ receipts: [{ token: 't', status: bodies.length === 1 ? 'recorded' : 'superseded' }] }) };
    } });
    expect([await client.complete('t', { by: 'Ada' }), await client.fail('t', new TerminalError('no', { code: 'E1' }))]).toEqual(['recorded', 'superseded']);
    expect(bodies).toEqual([
      ['/v1/tasks/answers', { answers: [{ token: 't', kind: 'completed', value: { by: 'Ada' } }] }],
      ['/v1/tasks/answers', { answers: [{ token: 't', kind: 'failed', error: expect.objectContaining({ type: 'TerminalError', message: 'no', code: 'E1', retryable: false }) }] }],
    ]);
  });
});

describe('a closed client', () => {
  it('says so at once', async () => {
    const client = new Client();
    await client.close();
    await expect(client.start('w')).rejects.toThrow(/The client is (closed|destroyed)/);
  });
});

describe('Api', () => {
  it('asks again with the same id while an input is durable and not decided', async () => {
    const { api, asked } = serverOf([PENDING, PENDING, { status: 200, body: '{"status":"accepted"}' }]);
    await new RunHandle(api, { workflowId: 'w' }).signal('s', 1);
    expect(asked).toHaveLength(3);
    expect(new Set(asked.map(({ body }) => body)).size).toBe(1);
  });

  it('tells of a refusal that came after 202', async () => {
    const { api } = serverOf([PENDING, CLOSED]);
    await expect(new RunHandle(api, { workflowId: 'w' }).cancel()).rejects.toMatchObject({ code: 'run-closed' });
  });

  it('takes 202 for the answer where the promise is durability alone', async () => {
    const { api } = serverOf([{ status: 202, body: '{"events":[]}' }]);
    expect(await api.call({ method: 'POST', path: '/v1/events', body: {} })).toEqual({ events: [] });
  });

  it.each([
    ['a Map', new Map([['a', 1]]), 'it holds a Map (use Object.fromEntries) under "input"'],
    ['a promise', { later: Promise.resolve(1) }, 'it holds a promise (await it first) under "later"'],
    ['a bigint', 1n, 'BigInt'],
  ])('does not send %s, which JSON has not', async (_, input, why) => {
    const { api, asked } = serverOf([]);
    await expect(new RunHandle(api, { workflowId: 'w' }).signal('s', input)).rejects.toThrow(why);
    expect(asked).toEqual([]);
  });

  it('stops asking when its caller does', async () => {
    const { api } = serverOf([PENDING]);
    await expect(new RunHandle(api, { workflowId: 'w' }).signal('s', 1, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });
});
