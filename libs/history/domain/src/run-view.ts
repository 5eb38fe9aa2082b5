import { isClosed, type EventBody, type HistoryEvent, type HistoryPage, type RunResult, type RunStatus, type RunView } from '@perdure/contract';
import type { RunRow } from './ports/history-rows.js';

/** What is shown of a run; `events` is the number of its last one, which only its newest transition knows. */
export function toRunView(row: RunRow, events: number): RunView {
  const { tenant, workflowId, runId, workflowType, status, pin, startedAt, closedAt, parent, continuedFrom, continuedTo, suspended, trace, memo, searchAttributes } = row;
  return { tenant, workflowId, runId, workflowType, status, bundle: pin.bundle, startedAt, closedAt, events, parent, continuedFrom, continuedTo, suspended, trace, memo, searchAttributes };
}

/** A run that has closed has its result; of one whose result is not there yet it is not said that it has. */
export const toRunResult = ({ runId, status, result }: { readonly runId: string; readonly status: RunStatus; readonly result: RunResult | undefined }): RunResult =>
  result ?? { status: isClosed(status) ? 'running' : (status as 'running' | 'suspended'), runId };

export interface ListedTransition {
  readonly last: number;
  readonly at: number;
  readonly bundle: string;
  readonly events: readonly EventBody[];
}

/** The events behind `after`, at most `limit`, of transitions that are in order and hold at least so many, or all there are. */
export function toHistoryPage(run: RunView, { after, limit, transitions }: { readonly after: number; readonly limit: number; readonly transitions: Iterable<ListedTransition> }): HistoryPage {
  const events: HistoryEvent[] = [];
  for (const { last, at, bundle, events: bodies } of transitions) {
    const first = last - bodies.length + 1;
    for (const [index, body] of bodies.entries()) {
      if (first + index > after && events.length < limit) events.push({ n: first + index, at, bundle, ...body });
    }
    if (events.length >= limit) break;
  }
  const shown = events.at(-1)?.n ?? after;
  return { run, events, ...(shown < run.events && events.length > 0 ? { next: shown } : {}) };
}

/** How a bundle is used: runs that are not closed, and when its newest run started. */
export interface BundleUse {
  readonly bundle: string;
  readonly open: number;
  readonly newest: number;
}
