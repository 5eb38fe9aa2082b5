import { isDeepStrictEqual } from 'node:util';
import { idempotencyKeyOf, isClosed, type Input } from '@perdure/contract';
import type { RollbackRow } from '@perdure/compensation';
import { nameOf, shown, type Finding } from './finding.js';
import type { Contents } from './merge-shards.js';
import type { FoldedRun } from './folded-run.js';
import { rebuild, type Rebuilt } from './rebuild.js';

/** Tasks, timers, waits, rollbacks and children: what the services hold is what the histories await. */
export function* checkPending(contents: Contents, folded: ReadonlyMap<number, FoldedRun>): Iterable<Finding> {
  const rebuilt = rebuild(folded.values(), contents.inbox);
  yield* checkTasks(contents, rebuilt);
  const timers = contents.timers.map(({ run, seq, dueMs }) => ({ run, seq, dueMs }));
  yield* compare('timer', timers, rebuilt.timers);
  yield* checkWaits(contents, rebuilt);
  yield* checkRollbacks(contents, { rebuilt, folded });
  yield* checkChildren(contents, folded);
}

interface Named {
  readonly run: { readonly tenant: string; readonly workflowId: string; readonly runId: string };
  readonly seq: number;
}

const keyOf = ({ run, seq }: Named): string => idempotencyKeyOf({ run, seq, role: 'activity' });
const pending = ({ run, seq }: Named, what: string): Finding => ({ check: 'pending', where: `${nameOf(run)} #${seq}`, what });

/** The rows are those expected, and equal to them. */
function* compare<T extends Named>(noun: string, rows: readonly T[], expected: ReadonlyMap<string, T>): Iterable<Finding> {
  const found = new Map(rows.map((row) => [keyOf(row), row]));
  if (found.size < rows.length) yield { check: 'pending', where: `${noun}s`, what: `${rows.length - found.size} are there twice` };
  for (const [key, row] of found) {
    const wanted = expected.get(key);
    if (!wanted) yield pending(row, `there is a ${noun} that its run does not await: ${shown(row)}`);
    else if (!isDeepStrictEqual(row, wanted)) yield pending(row, `the ${noun} is ${shown(row)}, by history it is ${shown(wanted)}`);
  }
  for (const [key, wanted] of expected) if (!found.has(key)) yield pending(wanted, `its run awaits a ${noun} that is not there: ${shown(wanted)}`);
}

function* checkTasks({ tasks, rollbacks }: Contents, { tasks: expected }: Rebuilt): Iterable<Finding> {
  yield* compare('task', tasks.map(({ spec }) => spec).filter(({ role }) => role === 'activity'), expected);
  const undos = new Map(rollbacks.filter(({ endedAt }) => endedAt === undefined).map(({ request, done }) => [`${nameOf(request.run)}/${request.steps[done.length]?.undoSeq}`, request]));
  const asked = new Set(tasks.filter(({ spec }) => spec.role === 'undo').map(({ spec }) => `${nameOf(spec.run)}/${spec.seq}`));
  for (const [key, request] of undos) if (!asked.has(key)) yield pending(request, `the undo ${key} is next, and there is no task for it`);
  for (const key of asked) if (!undos.has(key)) yield { check: 'pending', where: key, what: 'there is an undo task that no rollback is at' };
}

/** What another shard has not heard of yet, of a wait's opening, end or offer, may stand otherwise. */
function* checkWaits({ waits: all, inbox, coming }: Contents, { waits }: Rebuilt): Iterable<Finding> {
  const moving = new Set(coming.map(keyOf));
  yield* checkWaitsAtRest({ waits: all.filter((row) => !moving.has(keyOf(row))), inbox }, new Map([...waits].filter(([key]) => !moving.has(key))));
}

function* checkWaitsAtRest({ waits, inbox }: Pick<Contents, 'waits' | 'inbox'>, expected: Rebuilt['waits']): Iterable<Finding> {
  const isAsked = ({ run, seq }: Named): boolean => inbox.some((input) => input.kind === 'eventOffered' && input.runId === run.runId && input.seq === seq);
  for (const wait of waits) {
    if (wait.offered !== undefined && !isAsked(wait)) yield pending(wait, `its run was offered event ${wait.offered}, and nothing brings it`);
    if (wait.closed && wait.offered === undefined) yield pending(wait, 'a close of this wait came before its open');
  }
  const open = waits.filter(({ closed }) => !closed).map(({ run, seq, chain, wait, openedAt }) => ({ run, seq, chain, wait, openedAt }));
  yield* compare('wait', open, expected);
}

function* checkRollbacks({ rollbacks, runs }: Contents, { rebuilt, folded }: { readonly rebuilt: Rebuilt; readonly folded: ReadonlyMap<number, FoldedRun> }): Iterable<Finding> {
  const rows = new Map(rollbacks.map((row) => [keyOf(row.request), row]));
  const isKept = new Set(runs.map(nameOf));
  for (const [key, row] of rows) {
    const asked = rebuilt.rollbacks.get(key);
    if (!asked) {
      if (isKept.has(nameOf(row.request.run))) yield pending(row.request, 'there is a rollback that its run did not ask for');
    } else if (row.endedAt === undefined && !isDeepStrictEqual(row.request, asked)) yield pending(row.request, `the rollback is ${shown(row.request)}, by history it is ${shown(asked)}`);
    else yield* stepsDone(row);
    if (row.endedAt !== undefined && rebuilt.rollbacksAwaited.has(key)) yield pending(row.request, 'the rollback has ended, and its run was not told');
  }
  for (const key of rebuilt.rollbacksAwaited) if (!rows.has(key)) yield { check: 'pending', where: key, what: `a run among ${folded.size} awaits a rollback that is not there` };
}

function* stepsDone({ request, done }: RollbackRow): Iterable<Finding> {
  for (const [index, { undoSeq }] of done.entries()) if (request.steps[index]?.undoSeq !== undoSeq) yield pending(request, `undo ${undoSeq} was done out of turn`);
}

/** A run that waits for a child has one that is open, or word of it is on its way; so have signals to other runs. */
function* checkChildren({ inbox }: Contents, folded: ReadonlyMap<number, FoldedRun>): Iterable<Finding> {
  const openChildren = new Set<string>();
  for (const { state } of folded.values()) if (state.parent && !isClosed(state.status)) openChildren.add(`${state.parent.runId}/${state.parent.seq}`);
  const isComing = ({ runId }: { readonly runId: string }, seq: string): boolean => inbox.some((input) => isAbout(input, runId, Number(seq)));
  for (const { state } of folded.values()) {
    for (const seq of Object.keys(state.children)) {
      if (!openChildren.has(`${state.run.runId}/${seq}`) && !isComing(state.run, seq)) yield pending({ run: state.run, seq: Number(seq) }, 'it waits for a child that is not running, and no word of it is on its way');
    }
    for (const seq of Object.keys(state.signals)) if (!isComing(state.run, seq)) yield pending({ run: state.run, seq: Number(seq) }, 'its signal to another run is not settled, and no word of it is on its way');
  }
}

const isAbout = (input: Input, runId: string, seq: number): boolean => {
  if ('seq' in input && input.runId === runId) return input.seq === seq;
  const from = input.kind === 'start' ? input.parent : 'from' in input ? input.from : undefined;
  return from?.runId === runId && from.seq === seq;
};
