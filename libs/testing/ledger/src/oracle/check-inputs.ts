import type { EventBody, HistoryEvent } from '@perdure/contract';
import { updateAnswerOf, type Program, type Sending } from '../program/program.js';
import type { Acknowledgement, Evidence, Finding, Operation, Run } from './evidence.js';

type Kind<K extends EventBody['kind']> = Extract<HistoryEvent, { kind: K }>;

/** Both ways: each acknowledged input is in history once, and history has no input that nobody sent or that was refused. */
export const checkInputs = (evidence: Evidence): Finding[] => {
  const acknowledged = Map.groupBy(evidence.acknowledgements, ({ program }) => program);
  const found = evidence.programs.flatMap((program) => new InputCheck(program, evidence.runs.get(program.name) ?? [], acknowledged.get(program.name) ?? []).check());
  return [...found, ...checkEvents(evidence)].map((what) => ({ oracle: 'inputs', what }));
};

/** History names an input by its sort and its client's id. */
const inputIdOf = ({ send, id }: Extract<Sending, { readonly id: string }>): string => `${send}/${id}`;

/** An event is taken by one run, once; what was acknowledged is known for ever, taken or not. */
function checkEvents({ programs, runs, forgotten }: Evidence): string[] {
  const sent = new Map(programs.flatMap(({ lanes }) => lanes.flat().flatMap((sending) => (sending.send === 'event' ? [[sending.id, sending.value] as const] : []))));
  const received = [...runs.values()].flat().flatMap(({ events }) => events.filter((event): event is Kind<'eventReceived'> => event.kind === 'eventReceived'));
  const taken = Map.groupBy(received, ({ event }) => event.id);
  return [
    ...[...taken].filter(([, all]) => all.length > 1).map(([id, all]) => `event ${id} was taken ${all.length} times`),
    ...[...taken.keys()].filter((id) => !sent.has(id)).map((id) => `event ${id} was taken, which nobody sent`),
    ...received.filter(({ event }) => sent.has(event.id) && (event.data as { readonly value?: unknown } | undefined)?.value !== sent.get(event.id)).map(({ event }) => `event ${event.id} arrived changed`),
    ...forgotten.map((id) => `event ${id} was acknowledged and is lost`),
  ];
}

class InputCheck {
  readonly #program: Program;
  readonly #chain: readonly Run[];
  readonly #acknowledged: readonly Acknowledgement[];
  readonly #found: string[] = [];

  constructor(program: Program, chain: readonly Run[], acknowledged: readonly Acknowledgement[]) {
    this.#program = program;
    this.#chain = chain;
    this.#acknowledged = acknowledged;
  }

  check(): string[] {
    this.#start();
    for (const sending of this.#program.lanes.flat()) this.#sending(sending);
    this.#nothingElse();
    return this.#found;
  }

  #tell(what: string): void {
    this.#found.push(`${this.#program.name}: ${what}`);
  }

  #all<K extends EventBody['kind']>(kind: K): Kind<K>[] {
    return this.#chain.flatMap(({ events }) => events.filter((event): event is Kind<K> => event.kind === kind));
  }

  #start(): void {
    const starts = this.#acknowledged.filter((line): line is Extract<Acknowledgement, { kind: 'started' }> => line.kind === 'started');
    const first = this.#chain[0];
    const others = new Set(starts.map(({ runId }) => runId)).size;
    if (others > 1) this.#tell('one start was answered with two runs');
    if (starts[0] && !this.#chain.some(({ runId }) => runId === starts[0]!.runId)) this.#tell(`its acknowledged start is lost: there is no run ${starts[0].runId}`);
    const roots = this.#chain.filter(({ view }) => view.continuedFrom === undefined).length;
    if (first && roots !== 1) this.#tell(`it was started ${roots} times`);
  }

  #sending(sending: Sending): void {
    switch (sending.send) {
      case 'signal':
        return this.#count(sending.id, 'signal', this.#all('signalReceived').filter(({ id }) => id === inputIdOf(sending)).length);
      case 'update':
        return this.#update(sending);
      case 'cancel':
        return this.#count(sending.id, 'cancel', this.#all('cancelRequested').length);
      case 'terminate':
        return this.#count(sending.id, 'terminate', this.#all('terminated').filter(({ reason }) => reason === sending.id).length);
      case 'suspend':
        return this.#count(sending.id, 'suspend', this.#all('suspended').filter(({ reason }) => reason.kind === 'operator' && reason.message === sending.id).length);
      case 'resume':
        return this.#count(sending.id, 'resume', this.#all('resumed').filter(({ reason }) => reason === sending.id).length);
      default:
    }
  }

  /** An input that was refused is not there; one that was acknowledged is there once; the fate of one that was neither is open. */
  #count(id: string, kind: 'signal' | 'update' | Operation, times: number): void {
    const lines = this.#acknowledged.filter((line) => line.kind === kind && line.id === id) as Extract<Acknowledgement, { kind: 'signal' | 'update' }>[];
    if (times > 1) this.#tell(`${kind} ${id} is there ${times} times`);
    if (lines.some(({ refused }) => refused === undefined) && times === 0) this.#tell(`${kind} ${id} was acknowledged and is lost`);
    if (lines.length > 0 && lines.every(({ refused }) => refused !== undefined) && times > 0) this.#tell(`${kind} ${id} was refused (${lines[0]!.refused}) and is there`);
    if (lines.some(({ refused }) => refused !== undefined) && lines.some(({ refused }) => refused === undefined)) this.#tell(`${kind} ${id} was answered in two ways`);
  }

  #update(sending: Extract<Sending, { send: 'update' }>): void {
    this.#count(sending.id, 'update', this.#all('updateAccepted').filter(({ id }) => id === inputIdOf(sending)).length);
    const completed = this.#all('updateCompleted').filter(({ updateId }) => updateId === inputIdOf(sending));
    if (completed.length > 1) this.#tell(`update ${sending.id} was completed ${completed.length} times`);
    for (const line of this.#acknowledged) {
      if (line.kind !== 'update' || line.id !== sending.id) continue;
      if (sending.value < 0 && line.refused === undefined) this.#tell(`update ${sending.id} should have been refused`);
      if (sending.value >= 0 && line.refused !== undefined) this.#tell(`update ${sending.id} was refused: ${line.refused}`);
      if (sending.value >= 0 && line.answer !== updateAnswerOf(sending.value)) this.#tell(`update ${sending.id} was answered ${line.answer}, not ${updateAnswerOf(sending.value)}`);
    }
  }

  #nothingElse(): void {
    const sent = new Set(this.#program.lanes.flat().flatMap((sending) => ('id' in sending ? [inputIdOf(sending)] : [])));
    for (const { id } of [...this.#all('signalReceived'), ...this.#all('updateAccepted')]) if (!sent.has(id)) this.#tell(`input ${id} is there, which nobody sent`);
    const reasons = new Set(this.#program.lanes.flat().flatMap((sending) => ('id' in sending ? [sending.id] : [])));
    for (const { reason } of this.#all('suspended')) if (reason.kind !== 'operator' || !reasons.has(reason.message ?? '')) this.#tell(`it was suspended, which nobody asked for: ${JSON.stringify(reason)}`);
    for (const { kind, reason } of [...this.#all('terminated'), ...this.#all('resumed')]) if (!reasons.has(reason ?? '')) this.#tell(`it was ${kind}, which nobody asked for: ${reason}`);
    if (this.#all('cancelRequested').length > 0 && !this.#program.lanes.flat().some(({ send }) => send === 'cancel')) this.#tell('a request to stop is there, which nobody sent');
  }
}
