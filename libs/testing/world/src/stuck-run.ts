import type { HistoryEvent, RunView } from '@perdure/contract';

/** What a wait for a run rejects with when no time will bring what the run waits for. */
export class StuckRun extends Error {
  override readonly name = 'StuckRun';
  /** What the run waits for, a line each. */
  readonly waits: readonly string[];

  constructor({ workflowId, workflowType, status, suspended }: RunView, waits: readonly string[]) {
    const why = status === 'suspended' ? `is suspended (${JSON.stringify(suspended)})` : 'waits for something that no time brings';
    super(`${workflowType} "${workflowId}" ${why}. It waits for:\n${waits.map((wait) => `  - ${wait}`).join('\n')}`);
    this.waits = waits;
  }
}

/** What a history has begun and not ended, in the order of its beginning. */
export const openWaitsOf = (history: readonly HistoryEvent[]): string[] => {
  const open = new Map<number, string>();
  for (const event of history) {
    const text = beginning(event);
    if (text !== undefined && 'seq' in event) open.set(event.seq, text);
    else if (isEnding(event)) open.delete(event.seq);
  }
  const waits = [...open.values()];
  return waits.length > 0 ? waits : ['a signal, an update or a condition that one of them makes true'];
};

const beginning = (event: HistoryEvent): string | undefined => {
  switch (event.kind) {
    case 'activityScheduled':
      return `activity "${event.name}"`;
    case 'timerStarted':
      return 'a timer';
    case 'waitOpened':
      return `event "${event.wait.type}" with ${JSON.stringify(event.wait.match)}${event.wait.filter === undefined ? '' : ` where ${event.wait.filter}`}`;
    case 'childRequested':
      return `child run "${event.workflowId}"`;
    default:
      return undefined;
  }
};

const ENDINGS = ['activityClosed', 'timerFired', 'timerCancelled', 'eventReceived', 'waitTimedOut', 'waitRefused', 'waitCancelled', 'childClosed'] as const;

const isEnding = (event: HistoryEvent): event is Extract<HistoryEvent, { kind: (typeof ENDINGS)[number] }> => (ENDINGS as readonly string[]).includes(event.kind);
