import type { Outcome } from '@perdure/contract';
import { childNameOf, effectIdOf, eventKeyOf, eventValueOf, FOREVER_MS, undoIdOf, valueOf, type ActivityStep, type Behaviour, type ChildStep, type EventStep, type LogEntry, type Program, type SagaStep, type SignalStep, type Sending, type SleepStep, type Step, type TogetherStep } from '../program/program.js';
import { waitsFor, type Observed } from './observed.js';

/**
 * What a program must come to, computed in memory by its own rules; it shares no code with the engine.
 *
 * 1. Where only one end is legal, the model says which, whatever history says.
 * 2. Where a race or a fault may decide (a timeout against a signal, a crash in the last attempt), the model knows the allowed ends and takes the one that history
 *    shows; what follows from it must then be so. An end that is not allowed is a complaint.
 */
export interface Expected {
  readonly end: { readonly status: 'completed'; readonly log: readonly LogEntry[] } | { readonly status: 'failed'; readonly message: string } | { readonly status: 'cancelled' | 'terminated' };
  /** By effect id. `must` happened exactly once; `may` have happened once, since nobody waited for them or their attempts went on after they were given up. */
  readonly effects: ReadonlyMap<string, 'must' | 'may'>;
  /** Groups of undo effects, each in the order in which they must have happened. */
  readonly undone: readonly (readonly string[])[];
  readonly complaints: readonly string[];
}

export type Observations = ReadonlyMap<string, Observed>;

type Family = Pick<Program, 'name' | 'steps' | 'onCancel'> & { readonly lanes?: Program['lanes'] };

export const expectedOf = (program: Family, observations: Observations): Expected => {
  const model = new Model(program, observations);
  const end = model.run();
  return { end, effects: model.effects, undone: model.undone, complaints: model.complaints };
};

/** The code saw `Cancelled` here, or came no further since the run was ended. */
class Stopped extends Error {}
/** The code threw. */
class Thrown extends Error {}

const EMPTY: Observed = { activities: new Map(), timers: new Map(), events: new Map(), signals: new Map(), undoing: [], suspended: [] };

class Model {
  readonly effects = new Map<string, 'must' | 'may'>();
  readonly undone: (readonly string[])[] = [];
  readonly complaints: string[] = [];
  readonly #program: Family;
  readonly #observations: Observations;
  readonly #seen: Observed;
  readonly #sendings: readonly Sending[];

  constructor(program: Family, observations: Observations) {
    this.#program = program;
    this.#observations = observations;
    this.#seen = observations.get(program.name) ?? EMPTY;
    this.#sendings = (program.lanes ?? []).flat();
  }

  run(): Expected['end'] {
    for (const sending of this.#sendings) if (sending.send === 'update' && sending.works) this.effects.set(effectIdOf(this.#program.name, sending.n), 'must');
    const log: LogEntry[] = [];
    try {
      for (const step of this.#program.steps) if (step.do !== 'continue') log.push(this.#follow(step));
    } catch (error) {
      if (error instanceof Thrown) return { status: 'failed', message: error.message };
      if (!(error instanceof Stopped)) throw error;
      if (this.#seen.terminated) return this.#terminated(this.#seen.terminated);
      if (this.#program.onCancel === 'end-cancelled') return { status: 'cancelled' };
      log.push('cancelled');
    }
    return { status: 'completed', log };
  }

  /** Whatever was handed out may have had its effect; what had been registered is undone if the operator wished it. */
  #terminated({ undoes }: NonNullable<Observed['terminated']>): Expected['end'] {
    for (const id of undoes) this.effects.set(id, 'must');
    this.undone.push(undoes);
    return { status: 'terminated' };
  }

  #complain(text: string): void {
    this.complaints.push(`${this.#program.name}: ${text}`);
  }

  get #cancelled(): boolean {
    return this.#seen.cancelRequestedAt !== undefined;
  }

  /** The code can only have been stopped where it was asked to, or where the run was ended. */
  #stop(what: string): never {
    if (!this.#cancelled && !this.#seen.terminated) this.#complain(`${what} has no end in history, and nobody asked the run to stop`);
    throw new Stopped();
  }

  #follow(step: Step): LogEntry {
    switch (step.do) {
      case 'activity':
        return this.#activity(step);
      case 'sleep':
        return this.#sleep(step);
      case 'signal':
        return this.#signal(step);
      case 'event':
        return this.#event(step);
      case 'child':
        return this.#child(step);
      case 'saga':
        return this.#saga(step);
      case 'updates':
        return { updates: step.count };
      case 'together':
        return step.mode === 'all' ? { all: this.#followAll(step.branches) } : this.#race(step);
      case 'fail':
        throw new Thrown(`planned end of ${this.#program.name}`);
      case 'forever':
        if (this.#seen.terminated) throw new Stopped();
        if (!this.#cancelled) this.#complain('it ended without having been asked to');
        // A request that came while something ran that took no notice of it is not told again: the code asks, and does not begin to wait.
        if (!this.#seen.timers.has(FOREVER_MS)) return 'asked to stop';
        throw new Stopped();
      case 'continue':
        throw new TypeError('a continue step is not followed');
    }
  }

  /** All of them were begun, also where one of them came to no end. */
  #followAll(branches: readonly Step[]): LogEntry[] {
    let stopped: Stopped | undefined;
    const entries = branches.flatMap((branch) => {
      try {
        return [this.#follow(branch)];
      } catch (error) {
        if (!(error instanceof Stopped)) throw error;
        stopped = error;
        return [];
      }
    });
    if (stopped) throw stopped;
    return entries;
  }

  /** Whether an activity was under way when the request came: it settles by how it closed, and takes the request with it. */
  #wasPendingActivity(): boolean {
    const requested = this.#seen.cancelRequestedAt ?? 0;
    return [...this.#seen.activities.values()].some(({ closed }) => closed !== undefined && closed.at > requested);
  }

  #activity({ n, behaviour }: ActivityStep): LogEntry {
    const effectId = effectIdOf(this.#program.name, n);
    const seen = this.#seen.activities.get(effectId);
    const outcome = seen?.closed?.outcome;
    if (outcome === undefined || (outcome.status === 'cancelled' && this.#cancelled)) {
      if (seen) this.effects.set(effectId, 'may');
      this.#stop(`activity ${effectId}`);
    }
    if (!isAllowed(behaviour, outcome, this.#cancelled)) this.#complain(`activity ${effectId} (${behaviour.kind}) ended as ${describe(outcome)}`);
    const effect = effectOf(behaviour, outcome);
    if (effect) this.effects.set(effectId, effect);
    if (outcome.status === 'completed') return valueOf(effectId);
    return { failed: outcome.status === 'timedOut' ? outcome.timeout : 'failed' };
  }

  #sleep({ ms }: SleepStep): LogEntry {
    if (this.#seen.timers.get(ms)?.firedAt === undefined) this.#stop(`the sleep of ${ms} ms`);
    return 'slept';
  }

  #signal({ signal, timeoutMs }: SignalStep): LogEntry {
    const value = this.#sentSignal(signal);
    const arrived = this.#seen.signals.get(signal);
    if (arrived !== undefined && value === undefined) this.#complain(`signal ${signal} arrived, which nobody sent`);
    const fired = timeoutMs === undefined ? undefined : this.#seen.timers.get(timeoutMs)?.firedAt;
    if (fired !== undefined && (arrived === undefined || fired < arrived)) return 'timed out';
    // A timer that fired although the signal had come in time should have been cancelled by then, unless the code could not act.
    if (fired !== undefined && !this.#seen.suspended.some(({ from, to = Infinity }) => from < arrived! && fired < to)) this.#complain(`the wait for signal ${signal} timed out after the signal had come`);
    const requested = this.#seen.cancelRequestedAt ?? Infinity;
    if (arrived === undefined || arrived > requested) this.#stopUnlessTaken(signal, arrived);
    return value ?? '';
  }

  /** A signal may come after the request and before the request takes effect: that had another to go to, or waited until undo steps were done. */
  #stopUnlessTaken(signal: string, arrived: number | undefined): void {
    const requested = this.#seen.cancelRequestedAt ?? 0;
    const undoing = this.#seen.undoing.find(({ from, to = Infinity }) => from < requested && requested < to);
    if (undoing && arrived !== undefined && arrived < (undoing.to ?? Infinity)) return;
    if (arrived === undefined || !this.#wasPendingActivity()) this.#stop(`the wait for signal ${signal}`);
  }

  #sentSignal(signal: string): string | undefined {
    const sent = this.#sendings.find((sending) => sending.send === 'signal' && sending.signal === signal);
    if (sent?.send === 'signal') return sent.value;
    // A child's first signal is its parent's.
    return this.#program.lanes === undefined ? `poke ${this.#program.name}` : undefined;
  }

  #event({ n, timeoutMs, insists }: EventStep): LogEntry {
    const [first, second] = waitsFor(this.#seen, this.#program.name, n);
    const value = eventValueOf(eventKeyOf(this.#program.name, n));
    if (first?.receivedAt !== undefined) return value;
    if (first?.timedOutAt === undefined) this.#stop(`the wait for event ${n}`);
    if (timeoutMs === undefined) this.#complain(`the wait for event ${n} timed out, which has no timeout`);
    if (!insists) return 'timed out';
    if (second?.receivedAt === undefined) this.#stop(`the second wait for event ${n}`);
    return { late: value };
  }

  #child({ n, steps }: ChildStep): LogEntry {
    const name = childNameOf(this.#program.name, n);
    // The code never came to ask for it.
    if (this.#seen.terminated && !this.#observations.has(name)) throw new Stopped();
    const { end, effects, undone, complaints } = expectedOf({ name, steps, onCancel: 'end-cancelled' }, this.#observations);
    for (const [id, effect] of effects) this.effects.set(id, effect);
    this.undone.push(...undone);
    this.complaints.push(...complaints);
    if (end.status === 'completed') return { child: end.log };
    if (end.status === 'failed') return { childFailed: end.message };
    if (end.status === 'terminated' && !this.#seen.terminated) this.#complain(`child ${n} was ended, and its parent was not`);
    return this.#stop(`child ${n}`);
  }

  #saga({ parts, undoAnyway }: SagaStep): LogEntry {
    const entries: LogEntry[] = [];
    const started: ActivityStep[] = [];
    try {
      for (const part of parts) {
        started.push(part);
        entries.push(this.#activity(part));
        if (typeof entries.at(-1) !== 'string') break;
      }
    } catch (error) {
      // Whoever is ended does not see it.
      if (!this.#seen.terminated) this.#undo(started);
      throw error;
    }
    if (typeof entries.at(-1) === 'string' && !undoAnyway) return { saga: entries };
    this.#undo(started);
    return { undone: entries };
  }

  /** What completed or ended in the dark is undone, the last first; what failed for good is taken not to have happened. */
  #undo(parts: readonly ActivityStep[]): void {
    const ids = parts.filter(({ n }) => this.#isToUndo(effectIdOf(this.#program.name, n))).map(({ n }) => undoIdOf(this.#program.name, n));
    const undoing = this.#seen.undoing.find((each) => each.ids.some((id) => ids.includes(id)));
    if (this.#seen.terminated && ids.length > 0 && !undoing) throw new Stopped();
    for (const id of ids) this.effects.set(id, 'must');
    this.undone.push(ids.reverse());
    // What was asked for goes on without the run.
    if (this.#seen.terminated && ids.length > 0 && undoing?.to === undefined) throw new Stopped();
  }

  #isToUndo(effectId: string): boolean {
    const activity = this.#seen.activities.get(effectId);
    // Never asked for: the run was asked to stop just before.
    if (!activity) return false;
    return activity.closed?.outcome.status !== 'failed';
  }

  #race({ branches, losers }: TogetherStep): LogEntry {
    const ends = branches.map((branch) => this.#endOf(branch));
    const first = Math.min(...ends);
    const won = ends.indexOf(first);
    if (first === Infinity) {
      for (const branch of branches) this.#leave(branch);
      this.#stop('a race');
    }
    if (losers === 'awaited') {
      const others = this.#followAll(branches);
      return { won, value: others[won]!, others };
    }
    for (const [index, branch] of branches.entries()) if (index !== won) this.#leave(branch);
    return { won, value: this.#follow(branches[won]!) };
  }

  #endOf(branch: Step): number {
    if (branch.do === 'activity') return this.#seen.activities.get(effectIdOf(this.#program.name, branch.n))?.closed?.at ?? Infinity;
    if (branch.do === 'sleep') return this.#seen.timers.get(branch.ms)?.firedAt ?? Infinity;
    if (branch.do !== 'event') throw new TypeError(`no branch of a race: ${branch.do}`);
    const [first, second] = waitsFor(this.#seen, this.#program.name, branch.n);
    const last = branch.insists && first?.timedOutAt !== undefined ? second : first;
    return Math.min(last?.receivedAt ?? Infinity, last?.timedOutAt ?? Infinity);
  }

  /** Nobody waits for it: if it ended it must have ended well, and it may have had its effect. */
  #leave(branch: Step): void {
    if (this.#endOf(branch) !== Infinity) this.#follow(branch);
    else if (branch.do === 'activity' && this.#seen.activities.has(effectIdOf(this.#program.name, branch.n))) this.effects.set(effectIdOf(this.#program.name, branch.n), 'may');
  }
}

/** Attempts that crash or overrun count too; where attempts are bounded, the last one's end is the activity's. */
const isAllowed = (behaviour: Behaviour, outcome: Outcome, cancelled: boolean): boolean => {
  // Asked to stop, an activity is not tried again: it ends as its last attempt did.
  if (cancelled && outcome.status !== 'completed') return true;
  switch (behaviour.kind) {
    case 'exhausted':
      return outcome.status === 'failed' || outcome.status === 'timedOut';
    case 'overdue':
      // The server's own downtime is no time of the attempt's.
      return outcome.status === 'timedOut' || outcome.status === 'completed';
    case 'terminal':
      return outcome.status === 'failed' && outcome.error.type === 'TerminalError';
    default:
      return outcome.status === 'completed';
  }
};

const effectOf = (behaviour: Behaviour, outcome: Outcome): 'must' | 'may' | undefined => {
  if (outcome.status === 'completed') return 'must';
  if (behaviour.kind === 'exhausted') return undefined;
  if (behaviour.kind !== 'terminal') return 'may';
  if (!behaviour.applied) return undefined;
  return outcome.status === 'failed' && outcome.error.type === 'TerminalError' ? 'must' : 'may';
};

const describe = (outcome: Outcome): string => (outcome.status === 'completed' ? 'completed' : `${outcome.status}: ${outcome.error.message}`);
