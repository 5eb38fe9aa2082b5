import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import type { Effect, Input, TaskSpec } from '@perdure/contract';
import type { RunState } from '@perdure/engine';
import { NO_LEVELS, type MetricJson } from './shard-metrics.js';
import { ShardObserver } from './shard-observer.js';
import type { AttemptSpan, SpanReport } from './shard-span.js';

const RUN = { tenant: 't', workflowId: 'w', runId: 'r' };
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const UNSAMPLED = TRACE.replace(/01$/, '00');
const OTHER = TRACE.replace('4bf9', 'aaaa');

const stateOf = (trace: string | undefined): RunState => ({ run: RUN, workflowType: 'deliver', status: 'running', ...(trace === undefined ? {} : { trace }) }) as RunState;
const signal = (trace?: string): Input => ({ ...RUN, id: 'signal/1', at: 5, kind: 'signal', name: 's', ...(trace === undefined ? {} : { trace }) });
const task: TaskSpec = { run: RUN, seq: 1, role: 'activity', name: 'charge', options: { queue: 'q', startToCloseTimeoutMs: 1, retry: { maxAttempts: 1, initialIntervalMs: 1, backoffCoefficient: 1, maxIntervalMs: 1 } }, bundle: 'b', workflowType: 'deliver', at: 10, trace: TRACE };
const effect: Effect = { to: 'scheduler', kind: 'scheduleTask', ...task };

const isTotal = (value: { readonly metricName?: string } | object): boolean => !('metricName' in value) || value.metricName === undefined || value.metricName.endsWith('_count');
const valueOf = (metrics: readonly MetricJson[], name: string): number => metrics.find((each) => each.name === name)!.values.find((value) => isTotal(value))?.value ?? 0;

describe('ShardObserver', () => {
  let reports: SpanReport[];
  let observer: ShardObserver;
  beforeEach(() => {
    reports = [];
    observer = new ShardObserver({ clock: new ManualClock(1_000), report: (report) => reports.push(report) });
  });

  const process = (input: Input, state: RunState): readonly Effect[] => {
    observer.processing(input);
    return observer.processed(input, state, [effect]);
  };

  it('tells of an input after its commit, and hangs what follows below it', () => {
    const [scheduled] = process(signal(OTHER), stateOf(TRACE));
    expect(reports).toEqual([]);
    observer.wrote(2);
    observer.committed();
    const [{ spans, commitMs, committedMs }] = reports as [SpanReport];
    expect(spans).toMatchObject([{ kind: 'input', input: 'signal', inputId: 'signal/1', run: RUN, trace: TRACE, sender: OTHER, isRequest: true, startMs: 5 }]);
    expect(committedMs - commitMs).toBeCloseTo(2);
    const { spanId } = spans[0] as { spanId: string };
    expect(scheduled).toMatchObject({ trace: `00-${TRACE.slice(3, 35)}-${spanId}-01` });
  });

  it('tells nothing of a batch that was taken back, and counts nothing', async () => {
    process({ ...RUN, id: 'start', at: 5, kind: 'start', workflowType: 'deliver', newRunId: 'r', trace: TRACE }, stateOf(TRACE));
    observer.attemptEnded({ spec: task, attempt: 1, token: 'k', readyMs: 10, startedMs: 20 }, { how: 'failed' });
    observer.poisoned(task);
    observer.timerFired(100);
    observer.takeBack();
    observer.committed();
    expect(reports).toEqual([]);
    const metrics = await observer.metrics(NO_LEVELS);
    expect(['perdure_runs_started_total', 'perdure_activity_attempts_total', 'perdure_tasks_poisoned_total', 'perdure_timer_lateness_seconds'].map((name) => valueOf(metrics, name))).toEqual([0, 0, 0, 0]);
  });

  it('names an attempt alike when it goes out and when it ends, in this process or the next', () => {
    const sent = observer.handedOut({ spec: task, attempt: 1, token: 'k', readyMs: 10, startedMs: 20 });
    const next = new ShardObserver({ clock: new ManualClock(2_000), report: (report) => reports.push(report) });
    next.attemptEnded({ spec: task, attempt: 1, token: 'k', readyMs: 10 }, { how: 'completed' });
    next.committed();
    const span = reports[0]!.spans[0] as AttemptSpan;
    expect(span).toMatchObject({ kind: 'attempt', isAdopted: true, startMs: 10, parent: TRACE });
    expect(sent).toBe(`00-${TRACE.slice(3, 35)}-${span.spanId}-01`);
  });

  it('leaves a run alone that is not sampled, or has no trace', () => {
    for (const trace of [UNSAMPLED, undefined]) {
      expect(process(signal(trace), stateOf(trace))).toEqual([effect]);
      expect(observer.handedOut({ spec: { ...task, trace: UNSAMPLED }, attempt: 1, token: 'k', readyMs: 10, startedMs: 20 })).toBe(UNSAMPLED);
    }
    observer.committed();
    expect(reports).toEqual([]);
  });

  it('says which run a sender met, though nothing came of it', () => {
    observer.processing(signal(OTHER));
    observer.dropped(signal(OTHER), stateOf(UNSAMPLED));
    observer.committed();
    expect(reports[0]!.spans).toEqual([{ kind: 'joined', trace: UNSAMPLED, sender: OTHER }]);
  });

  it('reports nothing where traces are off, and still counts', async () => {
    const off = new ShardObserver({ clock: new ManualClock(1_000) });
    off.processing(signal());
    const effects = [effect];
    expect(off.processed(signal(), stateOf(TRACE), effects)).toBe(effects);
    off.attemptEnded({ spec: task, attempt: 1, token: 'k', readyMs: 10, startedMs: 20 }, { how: 'completed' });
    off.committed();
    expect(valueOf(await off.metrics(NO_LEVELS), 'perdure_activity_attempts_total')).toBe(1);
    expect(off.traceFields('r', TRACE)).toEqual({ trace_id: TRACE.slice(3, 35), span_id: TRACE.slice(36, 52) });
  });

  it('adds up what several slices have of a queue', async () => {
    const ofOne = Array.from({ length: 60 }, (_, i) => ({ tenant: 't', queue: `q${i}`, poisoned: false, count: 1 }));
    const metrics = await observer.metrics({ ...NO_LEVELS, ready: [...ofOne, ...ofOne] });
    const { values } = metrics.find(({ name }) => name === 'perdure_tasks_ready')!;
    expect([values.length, ...new Set(values.map(({ value }) => value))]).toEqual([60, 2]);
  });

  it('gives the queues that come first a series of their own, the others one', async () => {
    const ready = Array.from({ length: 150 }, (_, i) => ({ tenant: 't', queue: `q${i}`, poisoned: false, count: 1 }));
    const metrics = await observer.metrics({ ...NO_LEVELS, ready });
    const { values } = metrics.find(({ name }) => name === 'perdure_tasks_ready')!;
    expect([values.length, values.find(({ labels }) => labels['queue'] === 'other')?.value]).toEqual([101, 50]);
  });
});
