import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { PerdureError, type AnswerReceipt, type HeartbeatResponse, type PollRequest, type PollResponse, type TaskAnswer } from '@perdure/contract';
import { Authenticator, createHttpApp, type HttpApp, type Principal, type SocketCall } from '@perdure/http';
import { TaskDesk, TaskReader } from '@perdure/scheduler';
import { WebSocket } from 'ws';
import { SchedulerModule } from './index.js';

/** Polls stay open until their worker goes; answers until the test lets them be durable. */
class DeskDouble extends TaskDesk {
  readonly polls: { readonly tenant: string; readonly request: PollRequest; readonly signal: AbortSignal }[] = [];
  readonly answered: TaskAnswer[][] = [];
  durable = Promise.withResolvers<void>();

  override poll(tenant: string, request: PollRequest, signal: AbortSignal): Promise<PollResponse> {
    this.polls.push({ tenant, request, signal });
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve({ tasks: [], cancel: [] })));
  }
  override async answer(_tenant: string, answers: readonly TaskAnswer[]): Promise<AnswerReceipt[]> {
    this.answered.push([...answers]);
    if (answers.length === 0) throw new PerdureError('unavailable', 'not now');
    if (answers.length === 2) throw new Error('secret particulars');
    await this.durable.promise;
    return answers.map(({ token }) => ({ token, status: 'recorded' }));
  }
  override async heartbeat(): Promise<HeartbeatResponse[]> {
    return [{ status: 'ok' }];
  }
}

class NoTasks extends TaskReader {
  override async ofWorkflow(): Promise<[]> {
    return [];
  }
}

class Demo extends Authenticator {
  override authenticate(): Principal {
    return { tenant: 'demo' };
  }
}

const POLL = JSON.stringify({ worker: 'w', session: '1', queues: ['default'], slots: 1, waitMs: 20_000 });
const DONE = { token: 't1', kind: 'completed', value: { deep: [1, null, 'ü'] } };
const RECORDED = { receipts: [{ token: 't1', status: 'recorded' }] };

describe('TaskSocket', () => {
  let desk: DeskDouble;
  let app: HttpApp;
  let socket: WebSocket;
  let received: string[];
  let internal: PerdureError[];
  let called: SocketCall[];
  beforeEach(async () => {
    desk = new DeskDouble();
    internal = [];
    called = [];
    app = await createHttpApp(SchedulerModule.register({ desk: () => desk, tasks: () => new NoTasks() }), { authenticator: new Demo(), bodyBytesMax: 100_000, onInternal: (error) => internal.push(error), onSocketCall: (call) => called.push(call) });
    await app.nest.listen(0, '127.0.0.1');
    socket = new WebSocket(`ws://127.0.0.1:${(app.nest.getHttpServer().address() as AddressInfo).port}/v1/tasks/socket`);
    received = [];
    socket.on('message', (data: Buffer) => received.push(data.toString()));
    await once(socket, 'open');
  });
  afterEach(async () => {
    socket.terminate();
    await app.nest.close();
  });

  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
  };

  /** By the id of the call. */
  const answerTo = async (id: number): Promise<{ readonly status: number; readonly body: unknown }> => {
    const head = new RegExp(`^${id} (\\d+) `);
    await until(() => received.some((message) => head.test(message)));
    const message = received.find((each) => head.test(each))!;
    const [{ length }, status] = head.exec(message) as unknown as readonly [string, string];
    return { status: Number(status), body: JSON.parse(message.slice(length)) };
  };

  it('answers each call under its id as soon as it can, values untouched', async () => {
    socket.send(`1 poll ${POLL}`);
    socket.send(`2 answers ${JSON.stringify({ answers: [DONE] })}`);
    socket.send(`3 heartbeats ${JSON.stringify({ heartbeats: [{ token: 't1' }] })}`);
    expect(await answerTo(3)).toEqual({ status: 200, body: { responses: [{ status: 'ok' }] } });
    desk.durable.resolve();
    expect(await answerTo(2)).toEqual({ status: 200, body: RECORDED });
    expect(desk.answered).toEqual([[DONE]]);
    expect(desk.polls).toEqual([expect.objectContaining({ tenant: 'demo', request: { ...JSON.parse(POLL), holding: [] } })]);
    socket.send('1 abort');
    expect(await answerTo(1)).toEqual({ status: 200, body: { tasks: [], cancel: [] } });
  });

  it.each([
    ['what is not JSON', 'poll', '{', 400, 'malformed-json'],
    ['nothing', 'poll', '', 400, 'invalid-request'],
    ['what the API does not take', 'poll', '{"worker":1}', 400, 'invalid-request'],
    ['what nests too deep', 'answers', `{"answers":[{"token":"t","kind":"completed","value":${'['.repeat(500)}${']'.repeat(500)}}]}`, 400, 'invalid-request'],
    ['what its desk cannot take now', 'answers', '{"answers":[]}', 503, 'unavailable'],
  ])('answers %s as a request would be, and goes on', async (_what, call, body, status, code) => {
    socket.send(`7 ${call} ${body}`);
    expect(await answerTo(7)).toMatchObject({ status, body: { status, code } });
    socket.send(`8 heartbeats ${JSON.stringify({ heartbeats: [{ token: 't1' }] })}`);
    expect((await answerTo(8)).status).toBe(200);
    const from = { path: '/v1/tasks/socket', tenant: 'demo' };
    expect(called).toEqual([{ ...from, call, status, error: expect.objectContaining({ code }) }, { ...from, call: 'heartbeats', status: 200 }]);
  });

  it('tells a request without an upgrade what it would take', async () => {
    const response = await fetch(socket.url.replace(/^ws/, 'http'));
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ code: 'invalid-request', detail: expect.stringContaining('"Upgrade: websocket"') })]);
  });

  it('keeps the particulars of an internal error for the log', async () => {
    socket.send(`1 answers ${JSON.stringify({ answers: [DONE, DONE] })}`);
    const answer = await answerTo(1);
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal' } });
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(internal).toEqual([expect.objectContaining({ cause: expect.objectContaining({ message: 'secret particulars' }) })]);
  });

  it.each(['hello', '{"id":1}', '1 drop {}', '-1 poll {}', ''])('closes one that says %p: whose answer that would be is not known', async (message) => {
    socket.send(message);
    expect((await once(socket, 'close'))[0]).toBe(1_003);
  });

  it('takes no more calls at once than a worker has, and none twice', async () => {
    for (let id = 1; id <= 65; id++) socket.send(`${id} poll ${POLL}`);
    expect(await answerTo(65)).toMatchObject({ status: 503, body: { code: 'overloaded' } });
    socket.send(`7 poll ${POLL}`);
    expect(await answerTo(7)).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect(desk.polls).toHaveLength(64);
  });

  it('ends the polls of a worker that has gone', async () => {
    socket.send(`1 poll ${POLL}`);
    await until(() => desk.polls.length === 1);
    socket.terminate();
    await until(() => desk.polls[0]!.signal.aborted);
  });

  it('sends what is owed before the server closes', async () => {
    socket.send(`1 poll ${POLL}`);
    socket.send(`2 answers ${JSON.stringify({ answers: [DONE] })}`);
    await until(() => desk.answered.length === 1);
    const closed = once(socket, 'close');
    const closing = app.nest.close();
    expect(await answerTo(1)).toEqual({ status: 200, body: { tasks: [], cancel: [] } });
    socket.send(`3 poll ${POLL}`);
    expect(await answerTo(3)).toMatchObject({ status: 503, body: { code: 'draining' } });
    desk.durable.resolve();
    expect(await answerTo(2)).toEqual({ status: 200, body: RECORDED });
    expect((await closed)[0]).toBe(1_001);
    await closing;
  });
});
