import type { HistoryEvent, Outcome } from '@perdure/contract';
import { eventKeyOf, type Work } from '../program/program.js';

/**
 * What history says of one workflow id, over its chain of runs: how each thing that the program asked for came out. This is all that the model is told of what
 * happened. `at` counts the events of the whole chain, so that of two the earlier is known.
 */
export interface Observed {
  readonly activities: ReadonlyMap<string, { readonly key: string; readonly closed?: { readonly at: number; readonly outcome: Outcome } }>;
  /** By their duration. */
  readonly timers: ReadonlyMap<number, { readonly firedAt?: number; readonly started: number }>;
  /** The waits for each key, in the order in which they were opened. */
  readonly events: ReadonlyMap<string, readonly ObservedWait[]>;
  /** When each signal arrived, by name. */
  readonly signals: ReadonlyMap<string, number>;
  readonly cancelRequestedAt?: number;
  /** From when until when undo steps were carried out at the code's request, and of which effects. */
  readonly undoing: readonly { readonly from: number; readonly to?: number; readonly ids: readonly string[] }[];
  /** From when until when an operator held it. */
  readonly suspended: readonly { readonly from: number; readonly to?: number }[];
  /** It was ended; `undoes`: the undo effects that are to follow, the first first. */
  readonly terminated?: { readonly undoes: readonly string[] };
}

export interface ObservedWait {
  readonly receivedAt?: number;
  readonly timedOutAt?: number;
}

export interface RunHistory {
  readonly tenant: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly events: readonly HistoryEvent[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** @param chain the runs of a workflow id, the oldest first */
export const observe = (chain: readonly RunHistory[]): Observed => {
  let at = 0;
  const observer = new Observer();
  for (const run of chain) for (const event of observer.begin(run)) observer.see(event, ++at);
  return observer.observed;
};

class Observer {
  readonly #activities = new Map<string, Mutable<NonNullable<ReturnType<Observed['activities']['get']>>>>();
  readonly #timers = new Map<number, Mutable<NonNullable<ReturnType<Observed['timers']['get']>>>>();
  readonly #events = new Map<string, Mutable<ObservedWait>[]>();
  readonly #signals = new Map<string, number>();
  readonly #undoing: (Mutable<Observed['undoing'][number]> & { readonly seq: number })[] = [];
  readonly #suspended: Mutable<Observed['suspended'][number]>[] = [];
  #terminated: Observed['terminated'];
  /** Undo steps that the run at hand has registered and could still be asked for. */
  #undos: { readonly saga: number; readonly seq: number }[] = [];
  #cancelRequestedAt: number | undefined;
  #run!: RunHistory;
  /** What a seq of the run at hand stands for. */
  readonly #bySeq = new Map<number, string | number>();

  get observed(): Observed {
    return { activities: this.#activities, timers: this.#timers, events: this.#events, signals: this.#signals, undoing: this.#undoing, suspended: this.#suspended, ...(this.#terminated && { terminated: this.#terminated }), ...(this.#cancelRequestedAt !== undefined && { cancelRequestedAt: this.#cancelRequestedAt }) };
  }

  begin(run: RunHistory): readonly HistoryEvent[] {
    this.#run = run;
    this.#bySeq.clear();
    this.#undos = [];
    return run.events;
  }

  see(event: HistoryEvent, at: number): void {
    switch (event.kind) {
      case 'activityScheduled':
        return this.#scheduled(event.seq, (event.input as unknown as Work).effectId);
      case 'activityClosed':
        // What failed for good is taken not to have happened.
        if (event.outcome.status === 'failed') this.#undos = this.#undos.filter(({ seq }) => seq !== event.seq);
        return void Object.assign(this.#activities.get(String(this.#bySeq.get(event.seq))) ?? {}, { closed: { at, outcome: event.outcome } });
      case 'timerStarted':
        this.#bySeq.set(event.seq, event.durationMs);
        return void this.#timers.set(event.durationMs, { started: at });
      case 'timerFired':
        return void Object.assign(this.#timers.get(Number(this.#bySeq.get(event.seq))) ?? {}, { firedAt: at });
      case 'waitOpened':
        return this.#opened(event.seq, String(event.wait.match.key));
      case 'eventReceived':
        return void Object.assign(this.#waitOf(event.seq), { receivedAt: at });
      case 'waitTimedOut':
        return void Object.assign(this.#waitOf(event.seq), { timedOutAt: at });
      case 'signalReceived':
        return void this.#signals.set(event.name, at);
      case 'undoRegistered':
        return void this.#undos.push({ saga: event.undo.saga, seq: event.undo.activitySeq });
      case 'compensationRequested':
        return this.#undo(at, event);
      case 'compensated':
        return void Object.assign(this.#undoing.findLast(({ seq }) => seq === event.seq) ?? {}, { to: at });
      case 'cancelRequested':
        this.#cancelRequestedAt = at;
        return;
      case 'suspended':
        return void this.#suspended.push({ from: at });
      case 'resumed':
        return void Object.assign(this.#suspended.at(-1) ?? {}, { to: at });
      case 'terminated':
        this.#terminated = { undoes: event.compensate ? this.#undoesOf(this.#undos) : [] };
        return;
      default:
    }
  }

  #undo(at: number, { saga, seq }: { readonly saga: number; readonly seq: number }): void {
    this.#undoing.push({ from: at, seq, ids: this.#undoesOf(this.#undos.filter((undo) => undo.saga === saga)) });
    this.#undos = this.#undos.filter((undo) => undo.saga !== saga);
  }

  /** Of what was asked for at all; the last first. */
  #undoesOf(undos: readonly { readonly seq: number }[]): readonly string[] {
    return undos.flatMap(({ seq }) => this.#bySeq.get(seq) ?? []).map((effectId) => `${effectId}/undo`).reverse();
  }

  #opened(seq: number, key: string): void {
    const waits = this.#events.get(key) ?? [];
    this.#events.set(key, [...waits, {}]);
    this.#bySeq.set(seq, key);
  }

  /** Waits for one key come one after the other. */
  #waitOf(seq: number): Mutable<ObservedWait> {
    return this.#events.get(String(this.#bySeq.get(seq)))?.at(-1) ?? {};
  }

  #scheduled(seq: number, effectId: string): void {
    const { tenant, workflowId, runId } = this.#run;
    this.#bySeq.set(seq, effectId);
    this.#activities.set(effectId, { key: `${tenant}/${workflowId}/${runId}/${seq}` });
  }
}

export const waitsFor = (observed: Observed, name: string, n: number): readonly ObservedWait[] => observed.events.get(eventKeyOf(name, n)) ?? [];
