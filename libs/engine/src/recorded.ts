import type { ActivationOutput, Command, CommandEvent, CommandKind, EventBody, Failure, JobEvent, Outcome } from '@perdure/contract';

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

/**
 * What the code itself asked for: the recorded event without what the host adds or changes. A stack depends on how the bundle was built and is mapped to the
 * user's files before it is recorded, so it is no part of what was asked.
 */
export function asAsked(event: EventBody): EventBody {
  if (event.kind === 'failed' || event.kind === 'cancelled') return { ...event, error: withoutStack(event.error) };
  if (event.kind === 'updateCompleted') return { ...event, outcome: withoutStackIn(event.outcome) };
  if (event.kind !== 'continuedAsNew') return event;
  const { nextRunId: _, ...asked } = event;
  return asked as EventBody;
}

const withoutStackIn = (outcome: Outcome): Outcome => ('error' in outcome ? { ...outcome, error: withoutStack(outcome.error) } : outcome);

function withoutStack({ stack: _, cause, ...error }: Failure): Failure {
  return cause === undefined ? error : { ...error, cause: withoutStack(cause) };
}

/** Commands that count: up to the one that closes the run, which is the last. */
export function untilClosing(commands: readonly Command[]): readonly Command[] {
  const end = commands.findIndex(isClosingCommand);
  return end < 0 ? commands : commands.slice(0, end + 1);
}

/**
 * What an activation asked for. A job that was deferred is in history already and can no longer be refused: an update fails, a start fails its run, and a signal
 * of a name that the code does not know is without effect.
 */
export function commandsOf(job: JobEvent, { commands, refused }: ActivationOutput): readonly Command[] {
  if (!refused) return commands;
  const error: Failure = refused.error ?? { type: 'Refused', message: refused.message, code: refused.code, retryable: false };
  if (job.kind === 'updateAccepted') return [{ kind: 'completeUpdate', updateId: job.id, outcome: { status: 'failed', error } }];
  return job.kind === 'started' ? [{ kind: 'fail', error }] : [];
}
