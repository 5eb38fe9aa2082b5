import { isClosed, type EventBody, type InputOutcome, type Transition } from '@perdure/contract';
import type { ShardContents } from '@perdure/sqlite';
import { shown, type Finding } from './finding.js';
import type { FoldedRun } from './folded-run.js';

/** The event by which a client's input, or another run's, is known in history. Poisoned tasks and inputs at fault suspend by no kept input of their own. */
const keptFor = ({ events }: Transition): EventBody | undefined =>
  events.find(({ kind }) => kind === 'started' || kind === 'signalReceived' || kind === 'updateAccepted' || kind === 'cancelRequested' || kind === 'terminated' || kind === 'resumed');

/** What was answered under an input's id is what history says, both ways (I1). */
export function* checkInputs({ inputs }: ShardContents, folded: ReadonlyMap<number, FoldedRun>): Iterable<Finding> {
  const rows = new Map(inputs.map((row) => [`${row.tenant}/${row.workflowId}/${row.inputId}`, row]));
  const recorded = new Map<string, number>();
  for (const { number, state, transitions } of folded.values()) {
    for (const transition of transitions) {
      if (!keptFor(transition)) continue;
      const where = `${state.run.tenant}/${state.run.workflowId}/${transition.inputId}`;
      if (recorded.has(where)) yield { check: 'input', where, what: `it is in history twice: in run number ${recorded.get(where)} and in ${number}` };
      recorded.set(where, number);
      const row = rows.get(where);
      if (!row) yield { check: 'input', where, what: 'it is in history, and not kept under its id' };
      else if (row.outcome.kind === 'refused' || row.run !== number) yield { check: 'input', where, what: `it is in the history of run number ${number}; its sender was told ${shown(row.outcome)} of run number ${row.run}` };
    }
  }
  for (const [where, { outcome, run, inputId }] of rows) {
    const known = run === undefined ? undefined : folded.get(run);
    const what = known && flawOf(outcome, known, { inputId, isRecorded: recorded.has(where) });
    if (what) yield { check: 'input', where, what };
  }
}

const flawOf = (outcome: InputOutcome, { state, transitions }: FoldedRun, { inputId, isRecorded }: { readonly inputId: string; readonly isRecorded: boolean }): string | undefined => {
  if (outcome.kind === 'refused') return isRecorded ? 'it was refused, and is in history' : undefined;
  if (outcome.kind === 'started') return outcome.created && !isRecorded ? 'its run was told to be new, and no history begins with it' : undefined;
  if (outcome.kind === 'accepted') {
    if (isRecorded || transitions.some((each) => each.inputId === inputId)) return state.updates.includes(inputId) || !isOpenUpdate(transitions, inputId) ? undefined : 'the update is told to be running, and is not';
    // A second cancel, or a suspend of what is suspended, leaves no event.
    return state.cancelRequested || transitions.some(({ events }) => events.some(({ kind }) => kind === 'suspended')) ? undefined : 'it was accepted, and is not in history';
  }
  const event = transitions.flatMap(({ events }) => events).find((each) => each.kind === 'updateCompleted' && each.updateId === inputId);
  if (event?.kind === 'updateCompleted') return JSON.stringify(event.outcome) === JSON.stringify(outcome.outcome) ? undefined : `the update came to ${shown(event.outcome)}; its sender was told ${shown(outcome.outcome)}`;
  return isClosed(state.status) && outcome.outcome.status === 'failed' ? undefined : 'the update was told to have finished, and has not';
};

const isOpenUpdate = (transitions: readonly Transition[], id: string): boolean => transitions.some(({ events }) => events.some((event) => event.kind === 'updateAccepted' && event.id === id));
