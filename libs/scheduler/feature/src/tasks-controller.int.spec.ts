import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request, Agent } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PerdureError, type AnswerReceipt, type HeartbeatRequest, type HeartbeatResponse, type PollRequest, type PollResponse, type TaskAnswer, type TaskView } from '@perdure/contract';
import { Authenticator, createHttpApp, type HttpApp, type Principal } from '@perdure/http';
import { TaskDesk, TaskReader } from '@perdure/scheduler';
import { SchedulerModule } from './index.js';

/** Remembers what it was asked; a poll stays open until its worker goes. */
class DeskDouble extends TaskDesk {
  answered: { tenant: string; answers: readonly TaskAnswer[] } | undefined;
  readonly #opened = Promise.withResolvers<PollRequest>();
  readonly #ended = Promise.withResolvers<void>();
  readonly opened = this.#opened.promise;
  readonly ended = this.#ended.promise;

  override poll(_tenant: string, poll: PollRequest, signal?: AbortSignal): Promise<PollResponse> {
    if (poll.waitMs === 0) return Promise.resolve({ tasks: [], cancel: [] });
    this.#opened.resolve(poll);
    return new Promise((resolve) =>
      signal?.addEventListener('abort', () => {
        this.#ended.resolve();
        resolve({ tasks: [], cancel: [] });
      }),
    );
  }
  override async answer(tenant: string, answers: readonly TaskAnswer[]): Promise<AnswerReceipt[]> {
    if (answers.length === 0) throw new PerdureError('unavailable', 'not now');
    this.answered = { tenant, answers };
    return answers.map(({ token }) => ({ token, status: 'recorded' }));
  }
  override async heartbeat(_tenant: string, requests: readonly HeartbeatRequest[]): Promise<HeartbeatResponse[]> {
    return requests.map(() => ({ status: 'cancelled' }));
  }
}

const TASK: TaskView = { run: { tenant: 'demo', workflowId: 'order/7', runId: 'r' }, seq: 3, role: 'activity', name: 'charge', queue: 'default', scheduledAt: 5, attempt: 2, failures: 1, crashes: 0, lastFailure: { type: 'Error', message: 'declined' } };

class OneTask extends TaskReader {
  override async ofWorkflow(tenant: string, workflowId: string): Promise<readonly TaskView[]> {
    return [TASK].filter(({ run }) => run.tenant === tenant && run.workflowId === workflowId);
  }
}

class Demo extends Authenticator {
  override authenticate(): Principal {
    return { tenant: 'demo' };
  }
}

describe('TasksController', () => {
  const desk = new DeskDouble();
  let app: HttpApp;
  beforeAll(async () => {
    app = await createHttpApp(SchedulerModule.register({ desk: () => desk, tasks: () => new OneTask() }), { authenticator: new Demo(), bodyBytesMax: 100_000 });
  });
  afterAll(() => app.nest.close());

  const post = async (path: string, payload: unknown) => {
    const response = await app.nest.inject({ method: 'POST', url: `/v1/tasks/${path}`, headers: { 'content-type': 'application/json' }, payload: JSON.stringify(payload) });
    return { status: response.statusCode, body: response.json() };
  };
  const poll = { worker: 'w', session: '1', queues: ['default'], slots: 1, holding: [], waitMs: 0 };

  it('lists the open tasks of a workflow id', async () => {
    const get = async (query: string) => {
      const { statusCode, json } = await app.nest.inject({ method: 'GET', url: `/v1/tasks${query}` });
      return { status: statusCode, body: json() as unknown };
    };
    expect(await get('?workflowId=order%2F7')).toEqual({ status: 200, body: { tasks: [TASK] } });
    expect(await get('?workflowId=order%2F8')).toEqual({ status: 200, body: { tasks: [] } });
    for (const query of ['', '?workflowId=', `?workflowId=${'x'.repeat(513)}`, '?workflowId=a&more=b']) expect(await get(query)).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  });

  it('passes answers on for the credential’s tenant, values untouched', async () => {
    const answers = [{ token: 't1', kind: 'completed', value: { deep: [1, null] } }, { token: 't2', kind: 'completed' }, { token: 't3', kind: 'failed', error: { type: 'Error', message: 'no', cause: { type: 'X', message: 'why' } }, retryAfterMs: 5 }];
    expect(await post('answers', { answers })).toEqual({ status: 200, body: { receipts: [{ token: 't1', status: 'recorded' }, { token: 't2', status: 'recorded' }, { token: 't3', status: 'recorded' }] } });
    expect(desk.answered).toEqual({ tenant: 'demo', answers });
  });

  it('answers heartbeats and polls', async () => {
    expect(await post('heartbeats', { heartbeats: [{ token: 't', progress: 3 }] })).toEqual({ status: 200, body: { responses: [{ status: 'cancelled' }] } });
    expect(await post('poll', poll)).toEqual({ status: 200, body: { tasks: [], cancel: [] } });
  });

  it.each([
    ['poll', { ...poll, slots: -1 }, 'slots'],
    ['poll', { ...poll, queues: [] }, 'queues'],
    ['poll', { ...poll, sloths: 3 }, 'sloths'],
    ['answers', { answers: [{ token: 't', kind: 'done' }] }, 'answers.0.kind'],
    ['answers', { answers: [{ token: 't', kind: 'failed' }] }, 'answers.0.error'],
    ['heartbeats', { heartbeats: [{}] }, 'heartbeats.0.token'],
  ])('refuses a bad %s and names the fault', async (path, body, fault) => {
    const response = await post(path, body);
    expect(response).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect(response.body.detail).toContain(fault);
  });

  it('tells the worker to try again when the answers could not be stored', async () => {
    expect(await post('answers', { answers: [] })).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  });

  it('ends a poll whose worker has gone', async () => {
    await app.nest.listen(0, '127.0.0.1');
    const { port } = app.nest.getHttpServer().address() as AddressInfo;
    const agent = new Agent({ keepAlive: true });
    const open = request({ agent, port, host: '127.0.0.1', method: 'POST', path: '/v1/tasks/poll', headers: { 'content-type': 'application/json' } });
    open.on('error', () => undefined);
    open.end(JSON.stringify({ ...poll, waitMs: 60_000 }));
    expect(await desk.opened).toMatchObject({ worker: 'w' });
    open.destroy();
    await desk.ended;
    agent.destroy();
  });
});
