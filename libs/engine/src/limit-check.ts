import type { Command, Failure } from '@perdure/contract';
import { mergeAttributes } from './attributes.js';
import type { EngineLimits } from './decision.js';
import { jsonBytes, own } from './json.js';
import { failure } from './messages.js';
import { isClosingCommand, isCommandKind } from './recorded.js';
import type { RunState } from './state.js';

const exceeded = (message: string): Failure => failure('LimitExceeded', 'limit-exceeded', message);
const invalid = (message: string): Failure => failure('InvalidCommand', 'invalid-command', message);

export const attributesProblem = (bytes: number, limits: EngineLimits): string =>
  `memo and search attributes are ${bytes} bytes together; the limit is ${limits.attributesBytesMax}. Keep large values in a store of your own and a reference to them here.`;

/**
 * Whether a run may ask for all this at once (I9). Asked before any of it is recorded, so that a run which goes too far leaves nothing half done.
 * `commands` end with the one that closes the run, if any does.
 */
export function checkCommands(state: RunState, commands: readonly Command[], limits: EngineLimits): Failure | undefined {
  const { commandsPerActivationMax, historyEventsMax } = limits;
  if (commands.length > commandsPerActivationMax) {
    return exceeded(`the code asked for ${commands.length} things without waiting for any; the limit is ${commandsPerActivationMax}. Start them in smaller groups and await each group.`);
  }
  const closes = commands.length > 0 && isClosingCommand(commands.at(-1)!);
  if (!closes && state.lastEvent + commands.length >= historyEventsMax) {
    return exceeded(`the history would pass ${historyEventsMax} events. Continue as new before that: carry what is needed in the next run's input.`);
  }
  return checkEach(state, commands, limits);
}

function checkEach(state: RunState, commands: readonly Command[], limits: EngineLimits): Failure | undefined {
  let { pending, lastSeq, lastUndoSeq, attributes } = state;
  let undoSteps = state.undo.length;
  for (const command of commands) {
    if (!isCommandKind(command.kind)) return invalid(`there is no command "${String((command as { kind: unknown }).kind)}"`);
    switch (command.kind) {
      case 'scheduleActivity':
      case 'startTimer':
      case 'openWait':
      case 'startChild':
      case 'sendSignal':
      case 'cancelRun':
      case 'compensate':
        if (!Number.isSafeInteger(command.seq) || command.seq <= lastSeq) return invalid(`seq ${command.seq} of ${command.kind} does not follow ${lastSeq}`);
        lastSeq = command.seq;
        pending += 1;
        break;
      case 'cancelTimer':
        if (own(state.timers, command.seq)) pending -= 1;
        break;
      case 'cancelWait':
        if (own(state.waits, command.seq)) pending -= 1;
        break;
      case 'registerUndo':
        if (!Number.isSafeInteger(command.undo.undoSeq) || command.undo.undoSeq <= lastUndoSeq) return invalid(`undo ${command.undo.undoSeq} does not follow ${lastUndoSeq}`);
        lastUndoSeq = command.undo.undoSeq;
        undoSteps += 1;
        break;
      case 'upsertAttributes': {
        attributes = mergeAttributes(attributes, command.attributes);
        const bytes = jsonBytes(attributes);
        if (bytes > limits.attributesBytesMax) return exceeded(attributesProblem(bytes, limits));
        break;
      }
    }
    if (pending > limits.pendingPerRunMax) {
      return exceeded(`more than ${limits.pendingPerRunMax} activities, timers, waits, children and signals would be pending. Await some before you ask for more.`);
    }
    if (undoSteps > limits.undoStepsMax) return exceeded(`more than ${limits.undoStepsMax} undo steps are registered. Split the saga over child workflows.`);
  }
  return undefined;
}
