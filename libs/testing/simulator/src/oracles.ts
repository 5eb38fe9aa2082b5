import { isClosed, type ActivationOutput, type EventBody, type Json } from '@perdure/contract';
import { checkStep, Engine, replayPlan, type RunState } from '@perdure/engine';
import { deriveRunId, sha256Hex } from '@perdure/identity';
import { nameOf as workflowOf, type Ack, type Workflow } from './client.js';
import type { Evidence, RunHistory, Testimony } from './evidence.js';
import { Interpreter, type Memory } from './interpreter.js';
import { expectedOf, isEndOf, TENANTS, type Program, type Step } from './program.js';
import { EPOCH_MS } from './sim-process.js';
import type { Violation } from './violation.js';

const engine = new Engine({ deriveRunId, digest: sha256Hex });

/** Holds what is stored against what the world outside saw and what a pure model says. Each finding names the invariant that it breaks. */
export async function judge(evidence: Evidence, testimony: Testimony): Promise<Violation[]> {
  const runs = await evidence.runs();
  const found: Violation[] = [];
  const say = (invariant: string, what: string): void => void found.push({ invariant, what });
  for (const run of runs) {
    checkGapless(run, say);
    checkReplay(run, evidence.damaged.has(run.row.runId) ? 'I7' : 'I5', say);
    checkClosings(run, testimony, say);
    checkTenant(run, say);
    checkChildren(run, say);
  }
  checkEvents(runs, say);
  for (const ack of testimony.acks) checkAck(ack, runs, say);
  checkOnce(runs, say);
  const kept = await evidence.eventIds();
  for (const id of testimony.published) if (!kept.has(id)) say('I1', `event ${id} was acknowledged and is not there`);
  for (const program of testimony.programs) checkProgram(program, { runs, testimony, damaged: evidence.damaged }, say);
  return found;
}

type Say = (invariant: string, what: string) => void;
const nameOf = ({ row }: RunHistory): string => `${row.tenant}/${row.workflowId} (run ${row.runId.slice(0, 6)})`;

function checkGapless(run: RunHistory, say: Say): void {
  let next = 1;
  for (const { first, events } of run.transitions) {
    if (first !== next) say('I3', `the history of ${nameOf(run)} goes from event ${next - 1} to event ${first}`);
    next = first + events.length;
  }
}

/** The code asks again for what history says it asked for, and the row shows what the history folds to. */
function checkReplay(run: RunHistory, invariant: string, say: Say): void {
  let state: RunState | undefined;
  for (const transition of run.transitions) state = engine.evolve(state, transition);
  if (!state) return say('I3', `${nameOf(run)} has no history`);
  if (state.status !== run.row.status) say('I3', `the row of ${nameOf(run)} says ${run.row.status}, its history ${state.status}`);
  const { diff } = replay(run);
  if (diff !== undefined) say(invariant, `the replay of ${nameOf(run)} differs:\n${diff}`);
}

/** A fresh realm is given the whole history. */
export function replay(run: Pick<RunHistory, 'transitions'>): { readonly diff?: string; readonly memory: Memory } {
  let interpreter = new Interpreter();
  for (const step of replayPlan(run.transitions)) {
    const outputs: ActivationOutput[] = [];
    for (const { job, at, refusable } of step.jobs) {
      const before = refusable ? JSON.stringify(interpreter.memory) : '';
      const output = structuredClone(interpreter.activate({ ...job, at }));
      if (output.refused && refusable) interpreter = new Interpreter(JSON.parse(before) as Memory);
      outputs.push(output);
      if (output.commands.some(({ kind }) => kind === 'complete' || kind === 'fail' || kind === 'cancel' || kind === 'continueAsNew')) break;
    }
    const difference = checkStep(step, outputs);
    if (difference) return { diff: difference.diff, memory: interpreter.memory };
  }
  return { memory: interpreter.memory };
}

function checkClosings(run: RunHistory, { done, handedOutMs }: Testimony, say: Say): void {
  const { tenant, workflowId, runId } = run.row;
  const closed = new Set<number>();
  for (const { at, events } of run.transitions) for (const event of events) if (handedOutMs && event.kind === 'activityClosed') checkTimeout(run, { event, atMs: at - EPOCH_MS, handedOutMs }, say);
  for (const event of run.events) {
    if (event.kind !== 'activityClosed') continue;
    if (closed.has(event.seq)) say('I8', `activity ${event.seq} of ${nameOf(run)} is recorded twice`);
    closed.add(event.seq);
    if (event.outcome.status === 'completed' && !done.has(`${tenant}/${workflowId}/${runId}/${event.seq}`)) say('I8', `activity ${event.seq} of ${nameOf(run)} is recorded as completed, and nobody carried it out`);
  }
}

/** No time runs out before it is over. */
function checkTimeout(run: RunHistory, { event: { seq, outcome }, atMs, handedOutMs }: { readonly event: Extract<EventBody, { kind: 'activityClosed' }>; readonly atMs: number; readonly handedOutMs: ReadonlyMap<string, number> }, say: Say): void {
  if (outcome.status !== 'timedOut' || outcome.timeout === 'heartbeat') return;
  const asked = run.transitions.find(({ events }) => events.some((event) => event.kind === 'activityScheduled' && event.seq === seq));
  const scheduled = asked?.events.find((event) => event.kind === 'activityScheduled' && event.seq === seq) as Extract<EventBody, { kind: 'activityScheduled' }> | undefined;
  if (!asked || !scheduled) return;
  const { startToCloseTimeoutMs, scheduleToCloseTimeoutMs = 0 } = scheduled.options;
  const { tenant, workflowId, runId } = run.row;
  const [sinceMs, timeoutMs] = outcome.timeout === 'startToClose' ? [handedOutMs.get(`${tenant}/${workflowId}/${runId}/${seq}`) ?? Infinity, Math.min(startToCloseTimeoutMs, scheduleToCloseTimeoutMs || Infinity)] : [asked.at - EPOCH_MS, scheduleToCloseTimeoutMs];
  if (atMs - sinceMs < timeoutMs) say('I8', `activity ${seq} of ${nameOf(run)} timed out (${outcome.timeout}) after ${atMs - sinceMs} ms, not ${timeoutMs}`);
}

/** What a tenant's clients and workers bring is marked; none of it is in another's run. */
function checkTenant(run: RunHistory, say: Say): void {
  const text = JSON.stringify([run.events, run.row.result]);
  for (const other of TENANTS) if (other !== run.row.tenant && new RegExp(`[" /]${other}:`, 'u').test(text)) say('tenants', `${nameOf(run)} has seen something of ${other}`);
}

/** Code that awaits the start of a child would wait for ever. */
function checkChildren(run: RunHistory, say: Say): void {
  const started = new Set<number>();
  for (const event of run.events) {
    if (event.kind === 'childStarted') started.add(event.seq);
    if (event.kind === 'childClosed' && event.outcome.status === 'completed' && !started.has(event.seq)) say('I4', `${nameOf(run)} heard of the end of child ${event.seq}, and never of its start`);
  }
}

function checkEvents(runs: readonly RunHistory[], say: Say): void {
  const takers = new Map<string, string>();
  for (const run of runs) {
    for (const event of run.events) {
      if (event.kind !== 'eventReceived') continue;
      const id = `${event.event.tenant}/${event.event.id}`;
      const before = takers.get(id);
      if (before !== undefined) say('§12', `event ${id} was taken by ${before} and by ${nameOf(run)}`);
      takers.set(id, nameOf(run));
    }
  }
}

const ofWorkflow = (runs: readonly RunHistory[], { tenant, workflowId }: Workflow): RunHistory[] => runs.filter(({ row }) => row.tenant === tenant && row.workflowId === workflowId);
const count = (runs: readonly RunHistory[], is: (event: EventBody) => boolean): number => runs.reduce((sum, { events }) => sum + events.filter(is).length, 0);

/** What a client was told is so, both ways. */
function checkAck({ inputId, outcome, operation, ...workflow }: Ack, all: readonly RunHistory[], say: Say): void {
  const runs = ofWorkflow(all, workflow);
  const workflowId = workflowOf(workflow);
  const wanted = outcome.kind === 'refused' ? 0 : 1;
  const tell = (times: number): void => {
    if (times !== wanted) say('I1', `${inputId} of ${workflowId} was answered ${outcome.kind}, and happened ${times} times`);
  };
  switch (operation) {
    case 'start':
      return outcome.kind === 'started' ? tell(runs.filter(({ row }) => row.runId === outcome.runId).length) : say('I1', `the start of ${workflowId} was ${JSON.stringify(outcome)}`);
    case 'signal':
    case 'note':
    case 'unknown':
    case 'heavy':
    case 'deadly':
      if (outcome.kind === 'refused' && !EXPECTED_REFUSALS.has(outcome.problem.code)) say('I10', `${inputId} of ${workflowId} was refused: ${outcome.problem.detail}`);
      return tell(count(runs, (event) => event.kind === 'signalReceived' && event.id === inputId));
    case 'update':
      tell(count(runs, (event) => event.kind === 'updateAccepted' && event.id === inputId));
      if (outcome.kind === 'updated' && count(runs, (event) => event.kind === 'updateCompleted' && event.updateId === inputId && JSON.stringify(event.outcome) === JSON.stringify(outcome.outcome)) !== 1) say('I1', `update ${inputId} of ${workflowId} was answered otherwise than it is recorded`);
      return;
    case 'terminate':
      return outcome.kind === 'accepted' ? tell(count(runs, ({ kind }) => kind === 'terminated')) : undefined;
    default:
      return;
  }
}

/** `internal` is what a deadly or a heavy input is answered. */
const EXPECTED_REFUSALS = new Set(['run-closed', 'unknown-signal', 'internal', 'limit-exceeded', 'run-suspended']);

/** Also what nobody was answered happens once at most. */
function checkOnce(runs: readonly RunHistory[], say: Say): void {
  const seen = new Set<string>();
  for (const run of runs) {
    for (const event of run.events) {
      if (event.kind !== 'signalReceived' && event.kind !== 'updateAccepted') continue;
      const key = `${run.row.tenant}/${run.row.workflowId} ${event.kind} ${event.id}`;
      if (seen.has(key)) say('I1', `${event.id} happened twice in ${nameOf(run)}`);
      seen.add(key);
    }
  }
}

interface Case {
  readonly runs: readonly RunHistory[];
  readonly testimony: Testimony;
  readonly damaged: ReadonlySet<string>;
}

function checkProgram(program: Program, { runs: all, testimony, damaged }: Case, say: Say): void {
  const { steps, operations } = program;
  const runs = ofWorkflow(all, program);
  const workflowId = workflowOf(program);
  const last = runs.find(({ row }) => row.continuedTo === undefined);
  if (!last) return say('I1', `${workflowId} was never started`);
  const { status, result } = last.row;
  const accepted = (kind: Ack['operation']): boolean => testimony.acks.some((ack) => workflowOf(ack) === workflowId && ack.operation === kind && ack.outcome.kind === 'accepted');
  const wasAsked = (kind: 'cancel' | 'terminate'): boolean => operations.some((operation) => operation.kind === kind) || accepted(kind);
  if (accepted('terminate') && status !== 'terminated') say('§16', `${workflowId} was terminated, and is ${status}`);
  if (status === 'terminated' && wasAsked('terminate')) return;
  if (status === 'cancelled' && wasAsked('cancel')) return;
  if (status !== 'completed' || result?.status !== 'completed') {
    if (isClosed(status)) say('model', `${workflowId} is ${status}: ${JSON.stringify(result)}`);
    return;
  }
  const { log } = result.result as { readonly log: readonly Json[] };
  const wrong = differs(steps, log);
  if (wrong !== undefined) say(runs.some(({ row }) => damaged.has(row.runId)) ? 'I7' : 'model', `${workflowId}: ${wrong}`);
  checkUndone(last, testimony.done, say);
}

/** Where a log is not what the model says it can be. */
function differs(steps: readonly Step[], log: readonly Json[]): string | undefined {
  const real = steps.filter((step) => step.do !== 'continue');
  if (log.length !== real.length) return `has done ${log.length} of ${real.length} steps`;
  const expected = expectedOf(steps);
  for (const [index, step] of real.entries()) {
    const [wanted, got] = [expected[index], log[index]];
    const acts = step.do === 'activity' ? [step.act] : step.do === 'group' ? step.acts : [];
    const ends = step.do === 'group' ? (got as readonly Json[]) : [got];
    if (acts.some((act, nth) => !isEndOf(act, ends[nth]))) return `step ${index} gave ${JSON.stringify(got)}`;
    if (wanted !== undefined) {
      if (JSON.stringify(wanted) !== JSON.stringify(got)) return `step ${index} gave ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`;
    } else if (step.do === 'child') {
      const child = (got as { readonly child: Json }).child;
      const inner = typeof child === 'object' ? differs(step.steps, (child as unknown as { readonly log: readonly Json[] }).log) : `ended as ${String(child)}`;
      if (inner !== undefined) return `child ${step.workflowId}: ${inner}`;
    } else if ((step.do === 'event' || step.do === 'signal') && got === 'timeout' && step.timeoutMs === undefined) return `step ${index} timed out without a timeout`;
  }
  return undefined;
}

/** Each activity of an undone saga that has completed is undone. */
function checkUndone(run: RunHistory, done: ReadonlySet<string>, say: Say): void {
  const { tenant, workflowId, runId } = run.row;
  const completed = new Set(run.events.flatMap((event) => (event.kind === 'activityClosed' && event.outcome.status === 'completed' ? [event.seq] : [])));
  const undone = new Set(run.events.flatMap((event) => (event.kind === 'compensationRequested' ? [event.saga] : [])));
  for (const event of run.events) {
    if (event.kind !== 'undoRegistered' || !undone.has(event.undo.saga) || !completed.has(event.undo.activitySeq)) continue;
    if (!done.has(`${tenant}/${workflowId}/${runId}/undo/${event.undo.undoSeq}`)) say('I4', `undo ${event.undo.undoSeq} of ${nameOf(run)} was not carried out`);
  }
}
