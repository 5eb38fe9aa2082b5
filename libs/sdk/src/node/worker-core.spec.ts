import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { PerdureError, type AnswerReceipt, type HeartbeatRequest, type HeartbeatResponse, type Json, type PollRequest, type PollResponse, type TaskAnswer, type TaskEnvelope } from '@perdure/contract';
import { activity, completeLater, RetryableError, TerminalError } from '../activity/index.js';
import { collectActivities } from './activity-registry.js';
import type { WorkerLogFields } from './log-fields.js';
import { WorkerCore } from './worker-core.js';
import { PollLost, type WorkerTransport } from './worker-transport.js';

/** Lets everything that can happen now happen. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const turns = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await turn();
};

interface Exchange<Request, Response> {
  readonly request: Request;
  readonly respond: (response: Response) => void;
  readonly fail: (error: Error) => void;
  readonly signal?: AbortSignal;
}

/** A server whose every answer the test gives. */
class ScriptedTransport implements WorkerTransport {
  readonly polls: Exchange<PollRequest, PollResponse>[] = [];
  readonly answers: Exchange<TaskAnswer[], AnswerReceipt[]>[] = [];
  readonly beats: HeartbeatRequest[][] = [];
  beat: HeartbeatResponse = { status: 'ok' };

  poll(request: PollRequest, signal: AbortSignal): Promise<PollResponse> {
    return new Promise((respond, fail) => {
      this.polls.push({ request, respond, fail, signal });
      signal.addEventListener('abort', () => fail(new Error('aborted')));
    });
  }
  answer(answers: readonly string[]): Promise<AnswerReceipt[]> {
    return new Promise((respond, fail) => this.answers.push({ request: answers.map((answer) => JSON.parse(answer) as TaskAnswer), respond, fail }));
  }
  async heartbeat(requests: readonly HeartbeatRequest[]): Promise<HeartbeatResponse[]> {
    this.beats.push([...requests]);
    return requests.map(() => this.beat);
  }
  async close(): Promise<void> {
    return undefined;
  }
  /** Acknowledges the last answers. */
  recorded(): void {
    const { request, respond } = this.answers.at(-1)!;
    respond(request.map(({ token }) => ({ token, status: 'recorded' })));
  }
}

const task = (token: string, name: string, more: Partial<TaskEnvelope> = {}): TaskEnvelope => ({
  token, name, run: { tenant: 't', workflowId: 'w', runId: 'r' }, seq: 1, role: 'activity', bundle: 'b', workflowType: 'deliver', queue: 'default', attempt: 1, epoch: 1, idempotencyKey: `key-${token}`, deadline: 60_000, ...more,
});

describe('WorkerCore', () => {
  let clock: ManualClock;
  let server: ScriptedTransport;
  let core: WorkerCore;
  let running: Promise<void>;
  let gates: Map<string, PromiseWithResolvers<unknown>>;
  const logs: (readonly [string, WorkerLogFields | undefined])[] = [];

  const start = (slots = 3): void => {
    const activities = collectActivities([
      {
        gate: () => gates.get(activity().info.token)!.promise,
        add: (a: number, b: number) => a + b,
        listed: () => ({ polls: server.polls.length, holding: [...server.polls.at(-1)!.request.holding] }),
        key: () => `${activity().idempotencyKey} ${activity().attempt}`,
        progress: () => activity().progress,
        untilStopped: () => new Promise((_, reject) => activity().signal.addEventListener('abort', () => reject(activity().signal.reason))),
        beating: async (count: number) => {
          for (let i = 1; i <= count; i++) activity().heartbeat({ i });
          throw new RetryableError('again', { retryAfter: 50 });
        },
        terminal: () => { throw new TerminalError('never', { code: 'stolen' }); },
        circular: () => { const loop: Record<string, unknown> = {}; loop['loop'] = loop; return loop; },
        later: () => completeLater(),
        nothing: () => undefined,
        mapOf: () => ({ byName: new Map([['a', 1]]), empty: {} }),
        code: () => () => 1,
        empty: () => ({ empty: {} }),
        hostile: () => { throw new Proxy(new Error('p'), { get: () => { throw new Error('a trap'); }, has: () => { throw new Error('a trap'); } }); },
      },
    ]);
    core = new WorkerCore({ transport: server, activities, queues: ['default'], slots, identity: 'w1', session: 's1', clock, random: () => 1, log: (text, fields) => logs.push([text, fields]) });
    running = core.run();
    running.catch(() => undefined);
  };

  beforeEach(() => {
    clock = new ManualClock(0);
    server = new ScriptedTransport();
    gates = new Map();
    logs.length = 0;
  });
  afterEach(async () => {
    const ended = core.shutdown(0);
    for (let i = 0; i < 3; i++) {
      clock.advanceBy(0);
      await turns();
      server.polls.at(-1)?.respond({ tasks: [], cancel: [] });
    }
    await ended;
  });

  const give = async (...tasks: TaskEnvelope[]): Promise<void> => {
    server.polls.at(-1)!.respond({ tasks, cancel: [] });
    await turns();
  };
  const gated = (token: string): TaskEnvelope => {
    gates.set(token, Promise.withResolvers());
    return task(token, 'gate');
  };
  const answersTo = async (name: string, more: Partial<TaskEnvelope> = {}): Promise<TaskAnswer[]> => {
    await give(task('k', name, more));
    return server.answers.at(-1)!.request;
  };

  it('tells of a server that is away ever more seldom, and at once of the next time', async () => {
    start();
    await turns();
    const fail = async (): Promise<void> => {
      server.polls.at(-1)!.fail(new PerdureError('unavailable', 'connection refused'));
      await turns();
      clock.advanceBy(1_000);
      await turns();
    };
    for (let tries = 1; tries <= 100; tries++) await fail();
    expect(server.polls).toHaveLength(101);
    expect(logs).toHaveLength(7); // the first, and the 2nd, 4th … 64th
    await give();
    await fail();
    expect(logs).toHaveLength(8);
  });

  it('begins an attempt when the poll that lists it has been sent', async () => {
    start();
    await turns();
    const before = server.polls.length;
    await give(task('k', 'listed'));
    expect(server.answers.at(-1)!.request).toMatchObject([{ kind: 'completed', value: { polls: before + 1, holding: ['k'] } }]);
  });

  it.each([
    ['add', { input: { $args: [2, 3] } as Json }, { kind: 'completed', value: 5 }],
    ['key', { attempt: 4 }, { kind: 'completed', value: 'key-k 4' }],
    ['progress', { progress: { page: 2 } }, { kind: 'completed', value: { page: 2 } }],
    ['nothing', {}, { kind: 'completed' }],
    ['later', {}, { kind: 'accepted' }],
    ['terminal', {}, { kind: 'failed', error: { type: 'TerminalError', message: 'never', code: 'stolen', retryable: false } }],
    ['circular', {}, { kind: 'failed', error: { retryable: false, message: expect.stringContaining('not JSON') } }],
    ['empty', {}, { kind: 'completed', value: { empty: {} } }],
    ['mapOf', {}, { kind: 'failed', error: { retryable: false, message: `The activity's result is not JSON: it holds a Map (use Object.fromEntries) under "byName"` } }],
    ['code', {}, { kind: 'failed', error: { retryable: false, message: `The activity's result is not JSON: it is a function` } }],
    ['hostile', {}, { kind: 'failed', error: { message: 'a value that cannot be shown' } }],
    ['missing', {}, { kind: 'failed', error: { code: 'unknown-activity', message: expect.stringMatching(/no activity "missing"; it has: add, beating, /) } }],
  ])('runs %s', async (name, more, answer) => {
    start();
    await turns();
    expect(await answersTo(name, more)).toMatchObject([{ token: 'k', ...answer }]);
  });

  it('lists what it holds from the moment it has it until its answer is acknowledged', async () => {
    start();
    await turns();
    expect(server.polls[0]!.request).toMatchObject({ worker: 'w1', session: 's1', queues: ['default'], slots: 3, holding: [], waitMs: 20_000 });
    await give(gated('a'), gated('b'));
    expect(server.polls.at(-1)!.request).toMatchObject({ slots: 1, holding: ['a', 'b'] });
    gates.get('a')!.resolve(1);
    await turns();
    await give();
    expect(server.polls.at(-1)!.request).toMatchObject({ slots: 2, holding: ['a', 'b'] });
    server.recorded();
    await turns();
    await give();
    expect(server.polls.at(-1)!.request).toMatchObject({ slots: 2, holding: ['b'] });
  });

  it('confirms at once when it is full, then polls when a slot is free, or after a second', async () => {
    start(1);
    await turns();
    await give(gated('a'));
    expect(server.polls.at(-1)!.request).toMatchObject({ slots: 0, holding: ['a'], waitMs: 0 });
    await give();
    expect(server.polls).toHaveLength(2);
    clock.advanceBy(1_000);
    await turns();
    expect(server.polls).toHaveLength(3);
    await give();
    gates.get('a')!.resolve(1);
    await turns();
    expect(server.polls).toHaveLength(4);
    expect(server.polls.at(-1)!.request).toMatchObject({ slots: 1, waitMs: 20_000 });
  });

  it('sends the answers of one turn, and those that come while a request is out, together', async () => {
    start();
    await turns();
    await give(gated('a'), gated('b'), gated('c'));
    gates.get('a')!.resolve(1);
    gates.get('b')!.resolve(2);
    await turns();
    expect(server.answers.map(({ request }) => request.length)).toEqual([2]);
    gates.get('c')!.resolve(3);
    await turns();
    expect(server.answers).toHaveLength(1);
    server.recorded();
    await turns();
    expect(server.answers[1]!.request).toMatchObject([{ token: 'c', value: 3 }]);
  });

  it('keeps running and answers later when the server goes away', async () => {
    start();
    await turns();
    await give(gated('a'));
    server.polls.at(-1)!.fail(new PerdureError('unavailable', 'connection refused'));
    gates.get('a')!.resolve('done');
    await turns();
    server.answers[0]!.fail(new PerdureError('unavailable', 'connection refused'));
    await turns();
    clock.advanceBy(1_000);
    await turns();
    expect(server.polls.at(-1)!.request.holding).toEqual(['a']);
    expect(server.answers[1]!.request).toEqual(server.answers[0]!.request);
    server.recorded();
  });

  it('takes the connection of a poll that is not answered in time for lost, and polls again', async () => {
    start(1);
    await turns();
    await give(gated('a'));
    clock.advanceBy(5_000);
    expect(server.polls[1]!.signal!.reason).toBeInstanceOf(PollLost);
    await turns();
    clock.advanceBy(1_000);
    await turns();
    expect(server.polls[2]!.request).toMatchObject({ holding: ['a'], waitMs: 0 });
  });

  it('tells the failure of an answer that the server will not take, and does not hold up the others', async () => {
    start();
    await turns();
    await give(gated('big'), gated('small'));
    gates.get('big')!.resolve('x'.repeat(100));
    gates.get('small')!.resolve(1);
    await turns();
    server.answers[0]!.fail(new PerdureError('payload-too-large', 'too large'));
    await turns();
    server.answers[1]!.fail(new PerdureError('payload-too-large', 'too large'));
    await turns();
    expect(server.answers[2]!.request).toMatchObject([{ token: 'big', kind: 'failed', error: { code: 'payload-too-large', retryable: false } }]);
    server.recorded();
    await turns();
    expect(server.answers[3]!.request).toMatchObject([{ token: 'small', kind: 'completed' }]);
    server.recorded();
  });

  it('asks a cancelled attempt to stop, and answers so', async () => {
    start();
    await turns();
    await give(task('k', 'untilStopped'));
    server.polls.at(-1)!.respond({ tasks: [], cancel: [{ token: 'k', reason: 'cancelled' }] });
    await turns();
    expect(server.answers[0]!.request).toMatchObject([{ token: 'k', kind: 'cancelled', error: { type: 'Cancelled' } }]);
  });

  it('says that an activity failed, for it may be tried again for ever', async () => {
    start();
    await answersTo('terminal', { attempt: 7 });
    expect(logs).toEqual([['activity terminal failed (attempt 7): TerminalError: never', { tenant: 't', workflowId: 'w', runId: 'r', activity: 'terminal' }]]);
  });

  it('says of which run and trace a line is', async () => {
    start();
    await answersTo('missing', { trace: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' });
    server.answers.at(-1)!.respond([{ token: 'k', status: 'superseded' }]);
    await turns();
    const fields = { tenant: 't', workflowId: 'w', runId: 'r', activity: 'missing', trace_id: '4bf92f3577b34da6a3ce929d0e0e4736', span_id: '00f067aa0ba902b7' };
    expect(logs).toEqual([[expect.stringContaining('no activity "missing"'), fields], ['an answer came too late: k', fields]]);
  });

  it('forgets a superseded attempt and answers nothing', async () => {
    start();
    await turns();
    await give(task('k', 'untilStopped'));
    server.polls.at(-1)!.respond({ tasks: [], cancel: [{ token: 'k', reason: 'superseded' }] });
    await turns();
    expect(server.answers).toEqual([]);
    expect(server.polls.at(-1)!.request).toMatchObject({ holding: [] });
    await give();
    expect(server.polls.at(-1)!.request).toMatchObject({ slots: 3, holding: [] });
  });

  it('sends a heartbeat at once, then now and then, and the last progress before a failure', async () => {
    start();
    await turns();
    await give(task('k', 'beating', { input: 100, heartbeatTimeoutMs: 3_000 }));
    expect(server.beats).toEqual([[{ token: 'k', progress: { i: 100 } }]]);
    expect(server.answers[0]!.request).toMatchObject([{ kind: 'failed', retryAfterMs: 50 }]);
  });

  it('throttles heartbeats by the attempt’s timeout and shares a request', async () => {
    start();
    const beat = Promise.withResolvers<() => void>();
    core = new WorkerCore({ transport: server, activities: collectActivities({ hold: () => { const { heartbeat } = activity(); beat.resolve(() => heartbeat(1)); return new Promise(() => undefined); } }), queues: ['default'], slots: 3, identity: 'w2', session: 's1', clock, random: () => 1, log: () => undefined });
    void core.run();
    await turns();
    await give(task('k', 'hold', { heartbeatTimeoutMs: 3_000 }));
    const again = await beat.promise;
    again();
    clock.advanceBy(0);
    again();
    again();
    clock.advanceBy(999);
    expect(server.beats).toHaveLength(1);
    clock.advanceBy(1);
    expect(server.beats).toHaveLength(2);
  });

  it('stops by a heartbeat’s answer', async () => {
    server.beat = { status: 'cancelled' };
    start();
    core = new WorkerCore({ transport: server, activities: collectActivities({ hold: () => { activity().heartbeat(); return new Promise((_, reject) => activity().signal.addEventListener('abort', () => reject(activity().signal.reason))); } }), queues: ['default'], slots: 3, identity: 'w2', session: 's1', clock, random: () => 1, log: () => undefined });
    void core.run();
    await turns();
    await give(task('k', 'hold'));
    clock.advanceBy(0);
    await turns();
    expect(server.answers[0]!.request).toMatchObject([{ kind: 'cancelled' }]);
  });

  it('drains: takes no more, finishes what runs, keeps its session alive meanwhile, hands back the rest', async () => {
    start();
    await turns();
    await give(gated('a'));
    const ended = core.shutdown(30_000);
    expect(server.polls.at(-2)!.signal!.aborted).toBe(true);
    expect(server.polls.at(-1)!.request).toMatchObject({ slots: 0, holding: ['a'], waitMs: 0 });
    await give();
    clock.advanceBy(1_000);
    await turns();
    expect(server.polls.at(-1)!.request).toMatchObject({ slots: 0, holding: ['a'] });
    await give();
    gates.get('a')!.resolve('done');
    await turns();
    server.recorded();
    await turns();
    expect(server.polls.at(-1)!.request).toMatchObject({ slots: 0, holding: [] });
    await give();
    await ended;
    await running;
  });

  it('ends though its server is frozen', async () => {
    start();
    await turns();
    await give(gated('a'));
    const ended = core.shutdown(7_000);
    clock.advanceBy(5_000);
    expect(server.polls.at(-1)!.signal!.reason).toBeInstanceOf(PollLost);
    await turns();
    clock.advanceBy(2_000);
    await turns();
    expect(server.polls.at(-1)!.request).toMatchObject({ slots: 0, holding: [] });
    clock.advanceBy(5_000);
    await ended;
  });

  it('waits no longer than its grace for a poll while it drains', async () => {
    start();
    await turns();
    await give(gated('a'));
    const ended = core.shutdown(2_000);
    clock.advanceBy(2_000);
    await turns();
    expect(server.polls.at(-1)!.request).toMatchObject({ holding: [] });
    await give();
    await ended;
  });

  it('leaves at last what does not end, and tells it to stop', async () => {
    start();
    await turns();
    await give(task('k', 'untilStopped'), gated('deaf'));
    const ended = core.shutdown(5_000);
    await give();
    clock.advanceBy(5_000);
    await turns();
    expect(server.polls.at(-1)!.request).toMatchObject({ holding: [] });
    await give();
    await ended;
  });

  it('ends with the reason when the server will not have it', async () => {
    start();
    await turns();
    server.polls.at(-1)!.fail(new PerdureError('unauthenticated', 'wrong key'));
    await expect(running).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

describe('collectActivities', () => {
  it('takes the functions of modules and refuses two of one name', () => {
    const a = { one: () => 1, limit: 3 };
    expect([...collectActivities([a, { ...a, two: () => 2 }]).keys()]).toEqual(['one', 'two']);
    expect(() => collectActivities([a, { one: () => 2 }])).toThrow('two activities named "one"');
    expect(() => collectActivities({})).toThrow('no activities');
  });
});
