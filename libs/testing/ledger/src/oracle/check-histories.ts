import { isClosed, type HistoryEvent } from '@perdure/contract';
import type { Evidence, Finding, Run } from './evidence.js';

const CLOSING: ReadonlySet<HistoryEvent['kind']> = new Set(['completed', 'failed', 'cancelled', 'continuedAsNew', 'terminated', 'runFailed']);
const STATUS_OF: Partial<Record<HistoryEvent['kind'], string>> = { completed: 'completed', failed: 'failed', cancelled: 'cancelled', continuedAsNew: 'continued' };

/** Numbered 1, 2, 3…, from one start to one end, in time's order; each thing asked for settles at most once, and no chain of runs has a gap. */
export const checkHistories = ({ runs }: Evidence): Finding[] => [...runs.values()].flatMap((chain) => [...chain.flatMap(checkRun), ...checkChain(chain)].map((what) => ({ oracle: 'histories', what }) as const));

function checkRun({ workflowId, runId, events, view }: Run): string[] {
  const who = `${workflowId} (run ${runId})`;
  const found: string[] = [];
  const gap = events.findIndex(({ n }, index) => n !== index + 1);
  if (gap >= 0) found.push(`${who}: event ${gap + 1} is numbered ${events[gap]!.n}`);
  if (events.length !== view.events) found.push(`${who}: ${view.events} events are counted, ${events.length} are there`);
  if (events[0]?.kind !== 'started') found.push(`${who}: begins with ${events[0]?.kind}`);
  const back = events.findIndex(({ at }, index) => index > 0 && at < events[index - 1]!.at);
  if (back >= 0) found.push(`${who}: event ${back + 1} is older than the one before it`);
  if (events.filter(({ kind }) => kind === 'started').length > 1) found.push(`${who}: started twice`);
  return [...found, ...checkClosing(who, events, view.status), ...checkSettling(who, events)];
}

function checkClosing(who: string, events: readonly HistoryEvent[], status: Run['view']['status']): string[] {
  if (!isClosed(status)) return [];
  const closings = events.filter(({ kind }) => CLOSING.has(kind));
  if (closings.length !== 1) return [`${who}: ends ${closings.length} times`];
  const expected = STATUS_OF[closings[0]!.kind];
  return expected === undefined || expected === status ? [] : [`${who}: shows ${status} and ended as ${expected}`];
}

const SETTLES: ReadonlySet<HistoryEvent['kind']> = new Set(['activityClosed', 'timerFired', 'eventReceived', 'waitTimedOut', 'childStarted', 'childClosed', 'signalSettled', 'compensated']);
const ASKS: ReadonlySet<HistoryEvent['kind']> = new Set(['activityScheduled', 'timerStarted', 'waitOpened', 'childRequested', 'signalSent', 'runCancelSent', 'compensationRequested']);

/** An activity's result recorded twice, a timer fired twice, an answer to what nobody asked. */
function checkSettling(who: string, events: readonly HistoryEvent[]): string[] {
  const asked = new Set<number>();
  const settled = new Set<string>();
  const found: string[] = [];
  for (const event of events) {
    if (!('seq' in event)) continue;
    if (ASKS.has(event.kind)) asked.add(event.seq);
    if (!SETTLES.has(event.kind)) continue;
    if (!asked.has(event.seq)) found.push(`${who}: ${event.kind} of ${event.seq}, which was not asked for`);
    // A child has two: that it started, and how it ended.
    const once = `${event.kind === 'childStarted' ? 'started' : 'ended'} ${event.seq}`;
    if (settled.has(once)) found.push(`${who}: ${event.seq} is recorded twice (${event.kind})`);
    settled.add(once);
  }
  return found;
}

function checkChain(chain: readonly Run[]): string[] {
  return chain.slice(1).flatMap((run, index) => {
    const before = chain[index]!;
    const closing = before.events.at(-1);
    const follows = run.view.continuedFrom === before.runId && closing?.kind === 'continuedAsNew' && closing.nextRunId === run.runId;
    return follows ? [] : [`${run.workflowId}: run ${run.runId} does not continue run ${before.runId}`];
  });
}
