import type { HandOut, LedgerLine } from '../book/ledger-record.js';
import { effectIdOf, familyOf, type ActivityStep, type Done, type Program, type Step } from '../program/program.js';
import type { Evidence, Finding, Run } from './evidence.js';

type AttemptLine = Extract<LedgerLine, { kind: 'attempt' }>;

interface Execution extends AttemptLine {
  /** Where its first and its last line stand in the ledger's file. */
  readonly began: number;
  last: number;
}

/** What is recorded comes from an attempt that counted, and nothing that was recorded is executed again. */
export const checkAttempts = (evidence: Evidence): Finding[] => {
  const executions = executionsOf(evidence.ledger);
  const byKey = Map.groupBy(executions.values(), ({ key }) => key);
  const bounds = boundsOf(evidence.programs);
  return [
    ...[...evidence.runs.values()].flatMap((chain) => [...chain.flatMap((run) => checkRecorded(run, { executions, byKey })), ...checkAgain(chain, byKey)]),
    ...[...byKey.values()].flatMap((all) => checkNumbers(all, bounds)),
    ...checkOnce(byKey),
    ...(evidence.dropsAtOnce ? checkEnded(evidence, byKey) : []),
  ].map((what) => ({ oracle: 'attempts', what }));
};

function executionsOf(ledger: readonly LedgerLine[]): Map<string, Execution> {
  const executions = new Map<string, Execution>();
  for (const [at, line] of ledger.entries()) {
    if (line.kind === 'attempt') executions.set(line.execution, { ...line, began: at, last: at });
    const execution = executions.get(line.execution);
    if (execution) execution.last = at;
  }
  return executions;
}

/** Of one slice, which alone counts its hand-outs. */
const isLater = ([slice, epoch, nth]: HandOut, [otherSlice, otherEpoch, otherNth]: HandOut): boolean => slice === otherSlice && (epoch > otherEpoch || (epoch === otherEpoch && nth > otherNth));

/**
 * Which of two hand-outs of one attempt in one epoch was the later is known to that epoch alone: the first went back unconfirmed, and once the server has died
 * either may be heard (design §9: epoch and attempt decide). The simulator watches within an epoch.
 */
const isSuperseding = (other: Execution, execution: Execution): boolean => isLater(other.handOut, execution.handOut) && (other.handOut[1] > execution.handOut[1] || other.attempt > execution.attempt);

interface Executions {
  readonly executions: ReadonlyMap<string, Execution>;
  readonly byKey: ReadonlyMap<string, readonly Execution[]>;
}

/** The result in history is that of an execution which the ledger knows, of that activity, and which had not been superseded when it answered. */
function checkRecorded({ tenant, workflowId, runId, events }: Run, { executions, byKey }: Executions): string[] {
  return events.flatMap((event) => {
    if (event.kind !== 'activityClosed' || event.outcome.status !== 'completed') return [];
    const key = `${tenant}/${workflowId}/${runId}/${event.seq}`;
    const done = event.outcome.value as unknown as Done;
    const execution = executions.get(done.execution);
    if (!execution) return [`${key}: the recorded result is of an execution that the ledger does not know`];
    if (execution.key !== key) return [`${key}: the recorded result is that of ${execution.key}`];
    const newer = byKey.get(key)!.find((other) => isSuperseding(other, execution) && other.began < execution.last);
    if (newer) return [`${key}: the recorded result is of attempt ${execution.attempt}, hand-out ${execution.handOut}, which was still at work when hand-out ${newer.handOut} had begun`];
    return event.attempts === execution.attempt ? [] : [`${key}: ${event.attempts} attempts are recorded, the result is of number ${execution.attempt}`];
  });
}

/**
 * When an activity has been handed out in some epoch that history scheduled after another one closed, that closing was committed by then: a later epoch must not
 * hand the other out again.
 */
function checkAgain(chain: readonly Run[], byKey: Executions['byKey']): string[] {
  const found: string[] = [];
  let earliest = Infinity;
  for (const { tenant, workflowId, runId, events } of chain.toReversed()) {
    for (const event of events.toReversed()) {
      const key = 'seq' in event ? `${tenant}/${workflowId}/${runId}/${event.seq}` : '';
      const epochs = byKey.get(key)?.map(({ handOut }) => handOut[1]) ?? [];
      if (event.kind === 'activityClosed' && Math.max(...epochs) > earliest) found.push(`${key}: was handed out in epoch ${Math.max(...epochs)}, although its end was recorded before epoch ${earliest} was over`);
      if (event.kind === 'activityScheduled') earliest = Math.min(earliest, ...epochs);
    }
  }
  return found;
}

/** A hand-out is of one activity. */
function checkOnce(byKey: Executions['byKey']): string[] {
  const keys = new Map<string, string>();
  return [...byKey].flatMap(([key, all]) =>
    all.flatMap(({ handOut }) => {
      const before = keys.get(String(handOut)) ?? key;
      keys.set(String(handOut), before);
      return before === key ? [] : [`${key}: hand-out ${String(handOut)} is that of ${before} too`];
    }),
  );
}

/** Of a run that was ended nothing is handed out any more, once its client has been told: not after what was handed out of a program that began only then. */
function checkEnded({ acknowledgements, runs }: Evidence, byKey: Executions['byKey']): string[] {
  const later = new Map<number, HandOut>();
  const found: string[] = [];
  for (const line of acknowledgements.toReversed()) {
    if (line.kind !== 'starting' && !(line.kind === 'terminate' && line.refused === undefined)) continue;
    const handedOut = (runs.get(line.program) ?? []).flatMap(({ tenant, workflowId, runId, events }) => events.flatMap((event) => (event.kind === 'activityScheduled' ? (byKey.get(`${tenant}/${workflowId}/${runId}/${event.seq}`) ?? []) : [])));
    for (const { key, handOut } of handedOut) {
      const earliest = later.get(handOut[0]);
      if (line.kind === 'starting') later.set(handOut[0], earliest && isLater(handOut, earliest) ? earliest : handOut);
      else if (earliest && isLater(handOut, earliest)) found.push(`${key}: hand-out ${String(handOut)} came after hand-out ${String(earliest)}, which was later than the run's acknowledged end`);
    }
  }
  return found;
}

/** Attempts are numbered in the order in which they were handed out, and are as many as allowed. */
function checkNumbers(all: readonly Execution[], bounds: ReadonlyMap<string, number>): string[] {
  const inOrder = [...all].sort((a, b) => (isLater(a.handOut, b.handOut) ? 1 : -1));
  const back = inOrder.find(({ attempt }, index) => index > 0 && attempt < inOrder[index - 1]!.attempt);
  const { key, effectId } = all[0]!;
  const most = Math.max(...all.map(({ attempt }) => attempt));
  return [
    ...(back ? [`${key}: attempt ${back.attempt} was handed out after a later one`] : []),
    ...(most > (bounds.get(effectId) ?? Infinity) ? [`${key}: attempt ${most} of at most ${bounds.get(effectId)}`] : []),
  ];
}

const boundsOf = (programs: readonly Program[]): ReadonlyMap<string, number> =>
  new Map(
    programs.flatMap((program) => familyOf(program).flatMap(({ name, steps }) => activitiesIn(steps).map(({ n, behaviour }): [string, number] => [effectIdOf(name, n), behaviour.kind === 'exhausted' ? behaviour.attempts : behaviour.kind === 'overdue' ? 1 : Infinity]))),
  );

const activitiesIn = (steps: readonly Step[]): readonly ActivityStep[] => steps.flatMap((step) => (step.do === 'activity' ? [step] : step.do === 'saga' ? step.parts : step.do === 'together' ? activitiesIn(step.branches) : []));
