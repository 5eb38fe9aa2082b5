import type { EventBody, RunResult, Transition } from '@perdure/contract';
import { Engine, resultOf, type RunState } from '@perdure/engine';
import type { TransitionRow } from '@perdure/history';
import { deriveRunId, sha256Hex } from '@perdure/identity';

/** A run as its history alone has it. */
export interface FoldedRun {
  readonly number: number;
  readonly rows: readonly TransitionRow[];
  readonly transitions: readonly Transition[];
  readonly state: RunState;
  readonly result: RunResult | undefined;
}

export const engine = new Engine({ deriveRunId, digest: sha256Hex });

/** The run's state after its transitions. */
export const fold = (transitions: readonly Transition[]): RunState | undefined => transitions.reduce<RunState | undefined>((state, transition) => engine.evolve(state, transition), undefined);

export const toTransition = ({ last, at, bundle, inputId, events }: TransitionRow): Transition => {
  const bodies = JSON.parse(events) as EventBody[];
  return { first: last - bodies.length + 1, at, bundle, inputId, events: bodies };
};

/** Runs by number, each from its transitions. One whose history cannot be folded throws, and the error names it. */
export const foldRuns = (rows: readonly TransitionRow[]): Map<number, FoldedRun> => {
  const byRun = Map.groupBy(rows, ({ run }) => run);
  return new Map([...byRun].map(([number, mine]) => [number, foldOne(number, mine)]));
};

const foldOne = (number: number, unsorted: readonly TransitionRow[]): FoldedRun => {
  const rows = unsorted.toSorted((a, b) => a.last - b.last);
  const transitions = rows.map(toTransition);
  try {
    const state = fold(transitions)!;
    const results = transitions.flatMap(({ events }) => events).map((event) => resultOf(state.run.runId, event));
    return { number, rows, transitions, state, result: results.find((each) => each !== undefined) };
  } catch (error) {
    throw new Error(`the history of run number ${number} does not fold`, { cause: error });
  }
};
