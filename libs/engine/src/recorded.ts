import type { Command, CommandEvent, CommandKind, EventBody } from '@perdure/contract';

/** A command's name in the imperative and, recorded, in the past tense. */
const PAST = {
  scheduleActivity: 'activityScheduled',
  cancelActivity: 'activityCancelRequested',
  startTimer: 'timerStarted',
  cancelTimer: 'timerCancelled',
  openWait: 'waitOpened',
  cancelWait: 'waitCancelled',
  startChild: 'childRequested',
  cancelChild: 'childCancelRequested',
  sendSignal: 'signalSent',
  cancelRun: 'runCancelSent',
  registerUndo: 'undoRegistered',
  compensate: 'compensationRequested',
  upsertAttributes: 'attributesUpserted',
  completeUpdate: 'updateCompleted',
  complete: 'completed',
  fail: 'failed',
  cancel: 'cancelled',
  continueAsNew: 'continuedAsNew',
} as const satisfies Record<CommandKind, CommandEvent['kind']>;

const COMMAND_EVENTS: ReadonlySet<string> = new Set(Object.values(PAST));
const CLOSING_COMMANDS: ReadonlySet<string> = new Set<CommandKind>(['complete', 'fail', 'cancel', 'continueAsNew']);

export const isCommandKind = (kind: string): kind is CommandKind => Object.hasOwn(PAST, kind);
export const isCommandEvent = (event: EventBody): event is CommandEvent => COMMAND_EVENTS.has(event.kind);
export const isClosingCommand = (command: Command): boolean => CLOSING_COMMANDS.has(command.kind);

/** `nextRunId` is the engine's to add to a `continuedAsNew`. */
export const toEvent = (command: Command, nextRunId: string): CommandEvent =>
  ({ ...command, kind: PAST[command.kind], ...(command.kind === 'continueAsNew' ? { nextRunId } : undefined) }) as CommandEvent;

/** What the code itself asked for: the recorded event without what the engine added. */
export function asAsked(event: EventBody): EventBody {
  // A stack depends on how the bundle was built and is mapped to the user's files when it is recorded: it is no part of what was asked.
  if (event.kind === 'failed' || event.kind === 'cancelled') return { ...event, error: { type: event.error.type, message: event.error.message } };
  if (event.kind === 'updateCompleted' && 'error' in event.outcome) return { ...event, outcome: { ...event.outcome, error: { type: event.outcome.error.type, message: event.outcome.error.message } } };
  if (event.kind !== 'continuedAsNew') return event;
  const { nextRunId: _, ...asked } = event;
  return asked as EventBody;
}

/** Commands that count: up to the one that closes the run, which is the last. */
export function untilClosing(commands: readonly Command[]): readonly Command[] {
  const end = commands.findIndex(isClosingCommand);
  return end < 0 ? commands : commands.slice(0, end + 1);
}
