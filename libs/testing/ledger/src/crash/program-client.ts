import { setTimeout as pause } from 'node:timers/promises';
import { isPerdureError } from '@perdure/contract';
import { isErrorNamed, type Client, type RunHandle, type WorkflowFailed } from '@perdure/sdk/client';
import type { AppendFile } from '../book/append-file.js';
import type { Acknowledgement, Answered, Operation, Shown } from '../oracle/evidence.js';
import { Draws } from '../program/draws.js';
import { EVENT_SOURCE, EVENT_TYPE, type InterpreterInput, type LogEntry, type Program, type Sending } from '../program/program.js';

export interface ProgramClientOptions {
  readonly client: Client;
  readonly program: Program;
  readonly seed: number;
  readonly acknowledged: AppendFile<Acknowledgement>;
  readonly shown: Shown[];
}

/**
 * The client of one program: starts it, sends what it should, and waits for its end. Each request is repeated with the same id until it is answered; what is
 * answered is on disk before the next thing is done; and some of what was answered is sent again.
 */
export class ProgramClient {
  readonly #options: ProgramClientOptions;
  readonly #draws: Draws;
  readonly #run: RunHandle;

  constructor(options: ProgramClientOptions) {
    this.#options = options;
    this.#draws = new Draws(options.seed);
    this.#run = options.client.run(options.program.name);
  }

  async play(): Promise<Answered> {
    const { program } = this.#options;
    const started = Promise.withResolvers<void>();
    // Drawn before anything is sent: which are sent again does not depend on the server.
    const lanes = program.lanes.map((lane) => lane.map((sending) => ({ sending, again: this.#draws.chance(20) }))).map((lane) => this.#lane(lane, started.promise));
    await this.#acknowledge({ kind: 'starting', program: program.name });
    await this.#start();
    if (this.#draws.chance(20)) await this.#start();
    started.resolve();
    await Promise.all(lanes);
    return { program: program.name, end: await this.#end() };
  }

  async #start(): Promise<void> {
    const { client, program } = this.#options;
    const { name, steps, onCancel } = program;
    const input: InterpreterInput = { name, steps, onCancel };
    const { runId } = await client.start('interpret', { workflowId: name, input: input as never });
    await this.#acknowledge({ kind: 'started', program: name, runId });
  }

  async #lane(lane: readonly { readonly sending: Sending; readonly again: boolean }[], started: Promise<void>): Promise<void> {
    for (const { sending, again } of lane) {
      if (sending.send !== 'event' || !sending.early) await started;
      await pause(sending.afterMs);
      await this.#send(sending);
      if (again) await this.#send(sending);
    }
  }

  async #send(sending: Sending): Promise<void> {
    switch (sending.send) {
      case 'signal':
        return this.#told('signal', sending.id, () => this.#run.signal(sending.signal, sending.value, { id: sending.id }));
      case 'cancel':
      case 'suspend':
      case 'resume':
        return this.#told(sending.send, sending.id, () => this.#run[sending.send]({ id: sending.id, reason: sending.id }));
      case 'terminate':
        return this.#told('terminate', sending.id, () => this.#run.terminate({ id: sending.id, reason: sending.id, compensate: sending.compensate }));
      case 'event':
        return this.#publish(sending);
      case 'update':
        return this.#update(sending);
      case 'query':
        return void this.#options.shown.push({ program: this.#options.program.name, log: await this.#run.query<void, readonly LogEntry[]>('log') });
    }
  }

  async #told(kind: 'signal' | Operation, id: string, tell: () => Promise<void>): Promise<void> {
    const refused = await refusal(tell);
    await this.#acknowledge({ kind, program: this.#options.program.name, id, ...(refused !== undefined && { refused }) });
  }

  async #publish({ key, id, value }: Extract<Sending, { send: 'event' }>): Promise<void> {
    const { client, program } = this.#options;
    const status = await client.publish({ type: EVENT_TYPE, source: EVENT_SOURCE, id, data: { key, value } });
    await this.#acknowledge({ kind: 'event', program: program.name, id, status });
  }

  async #update({ id, n, value, works }: Extract<Sending, { send: 'update' }>): Promise<void> {
    let answer: number | undefined;
    const refused = await refusal(async () => {
      answer = await this.#run.update<unknown, number>('add', { n, value, works }, { id });
    });
    await this.#acknowledge({ kind: 'update', program: this.#options.program.name, id, ...(answer !== undefined && { answer }), ...(refused !== undefined && { refused }) });
  }

  async #end(): Promise<Answered['end']> {
    try {
      return { status: 'completed', log: (await this.#run.result()) as readonly LogEntry[] };
    } catch (error) {
      if (!isErrorNamed(error, 'WorkflowFailed')) throw error;
      const { status, cause } = error as WorkflowFailed;
      return status === 'failed' ? { status, message: (cause as Error).message } : { status };
    }
  }

  #acknowledge(line: Acknowledgement): Promise<void> {
    return this.#options.acknowledged.append(line);
  }
}

/** The code with which the server refused for good; `undefined` when it did not. Whatever else goes wrong is nobody's answer. */
const refusal = async (ask: () => Promise<void>): Promise<string | undefined> => {
  try {
    await ask();
    return undefined;
  } catch (error) {
    if (isPerdureError(error) && !error.retryable) return error.code;
    // What an update's handler threw comes back as its own error.
    throw error;
  }
};
