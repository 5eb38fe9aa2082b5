import type { Failure, HistoryEvent, Json, Outcome, RunView, SuspendReason } from '@perdure/contract';
import { stackLines } from './stack.js';
import { at, lasting, since } from './time.js';

const CHARS_MAX = 100;

const brief = (value: Json | undefined): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX)}… (${text.length} characters)` : text;
};

const why = (error: Failure): string => `${error.type}: ${error.message}`;

/** With the places in the user's code. */
const whyAndWhere = (error: Failure): string => [why(error), ...stackLines(error.stack).map((line) => `  ${line}`)].join('\n');

const undone = (outcome: Outcome): string => (outcome.status === 'completed' ? 'all undone' : how(outcome));

const how = (outcome: Outcome): string => (outcome.status === 'completed' ? `→ ${brief(outcome.value)}` : `✗ ${outcome.status}, ${why(outcome.error)}`);

/** What an event says, in a few words. Kinds that need none say nothing. */
const DETAILS: { readonly [K in HistoryEvent['kind']]?: (event: Extract<HistoryEvent, { kind: K }>) => string } = {
  started: ({ workflowType, input }) => `${workflowType}(${input === undefined ? '' : brief(input)})`,
  activityScheduled: ({ seq, name, input }) => `#${seq} ${name}(${input === undefined ? '' : brief(input)})`,
  activityClosed: ({ seq, outcome, attempts }) => `#${seq} ${how(outcome)}${attempts > 1 ? ` after ${attempts} attempts` : ''}`,
  activityCancelRequested: ({ seq }) => `#${seq}`,
  timerStarted: ({ seq, durationMs }) => `#${seq} for ${lasting(durationMs)}`,
  timerFired: ({ seq }) => `#${seq}`,
  timerCancelled: ({ seq }) => `#${seq}`,
  waitOpened: ({ seq, wait, timeoutMs }) => `#${seq} ${wait.type} ${brief(wait.match)}${timeoutMs === undefined ? '' : ` for ${lasting(timeoutMs)}`}`,
  waitCancelled: ({ seq }) => `#${seq}`,
  waitTimedOut: ({ seq }) => `#${seq}`,
  waitRefused: ({ seq, error }) => `#${seq} ✗ ${why(error)}`,
  eventReceived: ({ seq, event }) => `#${seq} ${event.type} ${event.id} ${brief(event.keys)}`,
  childRequested: ({ seq, workflowType, workflowId }) => `#${seq} ${workflowType} "${workflowId}"`,
  childStarted: ({ seq, runId }) => `#${seq} run ${runId}`,
  childClosed: ({ seq, outcome }) => `#${seq} ${how(outcome)}`,
  signalReceived: ({ name, input }) => `${name}(${input === undefined ? '' : brief(input)})`,
  signalSent: ({ seq, workflowId, name }) => `#${seq} ${name} to "${workflowId}"`,
  signalSettled: ({ seq, outcome }) => `#${seq} ${how(outcome)}`,
  updateAccepted: ({ name, input }) => `${name}(${input === undefined ? '' : brief(input)})`,
  updateCompleted: ({ outcome }) => how(outcome),
  cancelRequested: ({ reason }) => reason ?? '',
  undoRegistered: ({ undo }) => `${undo.name} for #${undo.activitySeq}`,
  compensationRequested: ({ seq }) => `#${seq} undo what was done, last first`,
  compensated: ({ seq, outcome }) => `#${seq} ${undone(outcome)}`,
  attributesUpserted: ({ attributes }) => brief({ ...attributes.memo, ...attributes.searchAttributes } as Json),
  completed: ({ result }) => `→ ${brief(result)}`,
  failed: ({ error }) => `✗ ${whyAndWhere(error)}`,
  cancelled: ({ error }) => why(error),
  continuedAsNew: ({ nextRunId }) => `run ${nextRunId}`,
  voided: ({ job, limit, message }) => `event ${job}: ${limit} limit, ${message}`,
  suspended: ({ reason }) => whySuspended(reason),
  resumed: ({ reason }) => reason ?? '',
  repinned: ({ pin }) => `bundle ${pin.bundle.slice(0, 12)}`,
  terminated: ({ reason, compensate }) => [reason, ...(compensate ? ['undo what was done'] : [])].filter(Boolean).join('; '),
  runFailed: ({ error }) => `✗ ${why(error)}`,
  rolledBack: ({ outcome }) => undone(outcome),
};

const detail = (event: HistoryEvent): string => (DETAILS[event.kind] as ((each: HistoryEvent) => string) | undefined)?.(event) ?? '';

export const timeline = (run: RunView, events: readonly HistoryEvent[]): string => {
  const width = Math.max(...events.map(({ kind }) => kind.length), 0);
  const lines = events.map((event) => {
    const head = `${String(event.n).padStart(5)}  ${since(event.at - run.startedAt).padEnd(10)}  ${event.kind.padEnd(width)}  `;
    return `${head}${detail(event).replaceAll('\n', `\n${' '.repeat(head.length)}`)}`.trimEnd();
  });
  return [...heading(run), '', ...lines].join('\n');
};

const heading = (run: RunView): string[] => [
  `${run.workflowType} "${run.workflowId}"  ${run.status}`,
  `run         ${run.runId}`,
  `bundle      ${run.bundle.slice(0, 12)}`,
  `started     ${at(run.startedAt)}${run.closedAt === undefined ? '' : `, closed ${since(run.closedAt - run.startedAt)}`}`,
  ...(run.parent ? [`parent      "${run.parent.workflowId}" run ${run.parent.runId}`] : []),
  ...(run.continuedFrom ? [`continues   run ${run.continuedFrom}`] : []),
  ...(run.searchAttributes ? [`attributes  ${Object.entries(run.searchAttributes).map(([key, value]) => `${key}=${String(value)}`).join(' ')}`] : []),
  ...(run.memo ? [`memo        ${brief(run.memo)}`] : []),
  ...(run.suspended ? [`suspended   ${whySuspended(run.suspended)}`] : []),
];

export const whySuspended = (reason: SuspendReason): string => {
  if (reason.kind === 'operator') return `by an operator${reason.message ? `: ${reason.message}` : ''}`;
  return `${reason.kind}: ${reason.kind === 'nondeterminism' ? `\n${reason.diff}` : reason.message}`;
};
