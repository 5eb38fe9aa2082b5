import type { TaskView } from '@perdure/contract';
import { at } from './time.js';

/** How the activities of a run fare that have not closed, a line each; nothing if there are none. */
export const openTasks = (tasks: readonly TaskView[]): string =>
  tasks.length === 0 ? '' : ['', '', 'open activities', ...tasks.map((task) => `  #${task.seq} ${task.role === 'undo' ? 'undo: ' : ''}${task.name}  ${[...standing(task)].join(', ')}${whyLast(task)}`)].join('\n');

function* standing({ attempt, failures, crashes, notBefore, poisonedAt, cancelRequested, acceptedUntil, queue }: TaskView): Generator<string> {
  yield `attempt ${attempt}`;
  if (failures > 0) yield `${failures} failed`;
  if (crashes > 0) yield `${crashes} crashed`;
  if (notBefore !== undefined) yield `not before ${at(notBefore)}`;
  if (poisonedAt !== undefined) yield 'poisoned: for surgical workers alone';
  if (acceptedUntil !== undefined) yield 'to be completed through the API';
  if (cancelRequested) yield 'asked to stop';
  if (queue !== 'default') yield `queue "${queue}"`;
}

const whyLast = ({ lastFailure }: TaskView): string => (lastFailure ? `: ${lastFailure.type}: ${lastFailure.message}` : '');
