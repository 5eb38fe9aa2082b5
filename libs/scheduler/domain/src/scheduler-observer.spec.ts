import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TaskSpec } from '@perdure/contract';
import type { AttemptEnd, ObservedAttempt, SchedulerObserver } from './scheduler-observer.js';
import { RUN, SliceHarness } from './testing/slice-harness.js';

/** Writes down what it sees. */
class Notes implements SchedulerObserver {
  readonly seen: string[] = [];

  handedOut({ spec, attempt, readyMs, startedMs }: ObservedAttempt): string {
    this.seen.push(`out ${spec.seq}.${attempt} after ${startedMs! - readyMs}`);
    return `attempt ${attempt}`;
  }
  attemptEnded({ spec, attempt, startedMs }: ObservedAttempt, { how, error }: AttemptEnd): void {
    this.seen.push([`end ${spec.seq}.${attempt} ${how}`, error?.message, startedMs === undefined ? 'adopted' : undefined].filter(Boolean).join(' '));
  }
  poisoned({ seq }: TaskSpec): void {
    this.seen.push(`poisoned ${seq}`);
  }
  timerFired(latenessMs: number): void {
    this.seen.push(`timer ${latenessMs}`);
  }
}

describe('an observer of the scheduler', () => {
  let notes: Notes;
  let slice: SliceHarness;
  beforeEach(async () => {
    notes = new Notes();
    slice = new SliceHarness({}, notes);
    await slice.scheduler.open();
  });

  it('sees each attempt go out and end, and gives its trace context', async () => {
    await slice.schedule(1, {}, { trace: 'own' });
    await slice.advance(250);
    const first = await slice.takeOne();
    expect(first.trace).toBe('attempt 1');
    await slice.answer({ token: first.token, kind: 'failed', error: { type: 'Error', message: 'boom' } });
    await slice.advance(10_000);
    const second = await slice.takeOne();
    await slice.answer({ token: second.token, kind: 'completed' });
    expect(notes.seen).toEqual(['out 1.1 after 250', 'end 1.1 failed boom', expect.stringMatching(/^out 1\.2 after \d{4}$/), 'end 1.2 completed']);
    expect(slice.inputs).toMatchObject([{ trace: 'own' }]);
  });

  it('sees the last failure and timeout as what they are', async () => {
    await slice.schedule(1, { retry: { maxAttempts: 1, initialIntervalMs: 1, backoffCoefficient: 1, maxIntervalMs: 1 } });
    await slice.schedule(2, { startToCloseTimeoutMs: 500, retry: { maxAttempts: 1, initialIntervalMs: 1, backoffCoefficient: 1, maxIntervalMs: 1 } });
    const [first] = await slice.take();
    await slice.answer({ token: first!.token, kind: 'failed', error: { type: 'Error', message: 'boom' } });
    await slice.advance(500);
    expect(notes.seen.slice(2)).toEqual(['end 1.1 failed boom', expect.stringContaining('end 2.1 timedOut')]);
  });

  it('sees nothing of a task that no worker had', async () => {
    await slice.schedule(1);
    await slice.batch([slice.cancel(1)]);
    await slice.schedule(2);
    await slice.batch([{ to: 'scheduler', kind: 'dropRun', run: RUN }]);
    expect(notes.seen).toEqual([]);
  });

  it('sees an attempt dropped with its run', async () => {
    await slice.schedule(1);
    await slice.takeOne();
    await slice.batch([{ to: 'scheduler', kind: 'dropRun', run: RUN }]);
    expect(notes.seen.at(-1)).toBe('end 1.1 dropped');
  });

  it('sees the end of an attempt that was handed out before a restart', async () => {
    await slice.schedule(1);
    const { token } = await slice.takeOne();
    await slice.reopen();
    await slice.answer({ token, kind: 'completed' });
    expect(notes.seen.at(-1)).toBe('end 1.1 completed adopted');
  });

  it('sees crashes, the third of which poisons', async () => {
    await slice.schedule(1);
    for (const session of ['1', '2', '3']) {
      await slice.advance(10_000);
      const { token } = await slice.takeOne({ session });
      await slice.poll({ session, holding: [token], slots: 0 });
      await slice.advance(11_000);
    }
    expect(notes.seen.filter((line) => !line.startsWith('out'))).toEqual(['end 1.1 crashed', 'end 1.2 crashed', 'end 1.3 crashed', 'poisoned 1']);
    expect(slice.scheduler.stats.poisoned).toBe(1);
  });

  it('sees how late a timer is', async () => {
    await slice.batch([{ to: 'scheduler', kind: 'armTimer', run: RUN, seq: 1, dueMs: slice.clock.now() + 1_000 }]);
    slice.clock.advanceTo(slice.clock.now() + 1_700);
    await slice.settle();
    expect(notes.seen).toEqual(['timer 700']);
  });
});

describe('what is ready', () => {
  it('is told by tenant and queue', async () => {
    const slice = new SliceHarness();
    await slice.scheduler.open();
    for (const [seq, queue] of ['default', 'far', 'far'].entries()) await slice.schedule(seq + 1, { queue });
    expect([...slice.scheduler.ready()]).toEqual([
      { tenant: 'acme', queue: 'default', poisoned: false, count: 1 },
      { tenant: 'acme', queue: 'far', poisoned: false, count: 2 },
    ]);
  });
});

describe('workers', () => {
  it('are named by tenant and name, whatever their session', async () => {
    const slice = new SliceHarness();
    await slice.scheduler.open();
    await slice.poll({ worker: 'a', session: '1' });
    await slice.poll({ worker: 'a', session: '2' });
    await slice.poll({ worker: 'b', session: '1' });
    expect([...new Set(slice.scheduler.workers())]).toEqual(['acme\u0000a', 'acme\u0000b']);
  });
});
