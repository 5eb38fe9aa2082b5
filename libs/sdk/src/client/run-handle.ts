import { randomUUID } from 'node:crypto';
import { PerdureError, type HistoryEvent, type HistoryPage, type Outcome, type RunResult, type RunView, type TaskView } from '@perdure/contract';
import type { QueryToken, ResultOf, SignalToken, UpdateToken } from '../common/tokens.js';
import { queryString, type Api, type Call } from './api.js';
import { toRunError } from './run-error.js';
import { WorkflowFailed } from './workflow-failed.js';

export interface MessageOptions {
  /** Tells this message from others; the same id is the same message. Default: a new UUID. */
  readonly id?: string;
  readonly signal?: AbortSignal;
}

export interface OperatorOptions extends MessageOptions {
  readonly reason?: string;
}

export interface ResultOptions {
  /** Give up waiting (the run goes on). */
  readonly signal?: AbortSignal;
}

/** The server holds a request for a result open so long, seconds. */
const RESULT_WAIT_S = 50;
const HISTORY_PAGE = 500;

type AnyWorkflow = (...args: never[]) => Promise<unknown>;

/** One workflow id, or one run of it: to talk to it, read it and wait for it. */
export class RunHandle<W extends AnyWorkflow = AnyWorkflow> {
  readonly workflowId: string;
  /** Set when the handle is of one run; else it follows the workflow id's newest. */
  readonly runId?: string;
  /** What `start` gives: whether it made the run. False: it was there already, by the same start. */
  readonly created?: boolean;
  readonly #api: Api;
  readonly #path: string;

  constructor(api: Api, ref: { readonly workflowId: string; readonly runId?: string; readonly created?: boolean }) {
    this.#api = api;
    this.workflowId = ref.workflowId;
    if (ref.runId !== undefined) this.runId = ref.runId;
    if (ref.created !== undefined) this.created = ref.created;
    this.#path = `/v1/workflows/${encodeURIComponent(ref.workflowId)}`;
  }

  /**
   * What the workflow function returned. Waits as long as it takes, through restarts of the server, and follows a run that continued as new.
   *
   * @throws WorkflowFailed when it failed, was cancelled or was terminated
   */
  async result(options: ResultOptions = {}): Promise<ResultOf<W>> {
    for (;;) {
      const result = await this.#api.call<RunResult>({ method: 'GET', path: `${this.#path}/result${queryString({ runId: this.runId, wait: RESULT_WAIT_S })}`, ...options });
      if (result.status === 'completed') return result.result as ResultOf<W>;
      if (result.status === 'failed' || result.status === 'cancelled' || result.status === 'terminated') throw new WorkflowFailed(this.workflowId, result);
      if (result.status === 'continued') return new RunHandle<W>(this.#api, { workflowId: this.workflowId, runId: result.nextRunId }).result(options);
    }
  }

  /**
   * Resolves once the run has the signal.
   *
   * @throws PerdureError `unknown-run`, `unknown-signal`, `run-closed`
   * @example await run.signal(hurry, { reason: 'birthday' });
   */
  async signal<Input>(signal: SignalToken<Input> | string, ...[input, options = {}]: undefined extends Input ? [input?: Input, options?: MessageOptions] : [input: Input, options?: MessageOptions]): Promise<void> {
    await this.#decide(`signals/${nameOf(signal)}`, { input, id: options.id ?? randomUUID() }, options);
  }

  /**
   * Asks the workflow's query handler; changes nothing.
   *
   * @throws PerdureError `unknown-run`, `unknown-query`, `query-failed`
   */
  async query<Args, Result>(query: QueryToken<Args, Result> | string, ...[input, options = {}]: undefined extends Args ? [input?: Args, options?: MessageOptions] : [input: Args, options?: MessageOptions]): Promise<Result> {
    const answer = await this.#api.call<{ readonly value?: unknown }>(this.#post(`queries/${nameOf(query)}`, { input }, options));
    return answer.value as Result;
  }

  /**
   * Resolves with what the workflow's update handler returned.
   *
   * @throws PerdureError `update-refused` by its validator, `unknown-update`, `unknown-run`, `run-closed`; what the handler threw
   */
  async update<Input, Output>(update: UpdateToken<Input, Output> | string, ...[input, options = {}]: undefined extends Input ? [input?: Input, options?: MessageOptions] : [input: Input, options?: MessageOptions]): Promise<Output> {
    const id = options.id ?? randomUUID();
    // A handler that takes long is asked again until it has finished.
    const { outcome } = await this.#decide<{ readonly outcome: Outcome }>(`updates/${nameOf(update)}`, { input, id }, options);
    if (outcome.status === 'completed') return outcome.value as Output;
    throw toRunError(outcome.error);
  }

  /** Asks the run to stop; its code decides how. */
  async cancel(options: OperatorOptions = {}): Promise<void> {
    await this.#operate('cancel', options);
  }

  /** Ends the run without asking its code. `compensate`: carry out the undo steps it has registered. */
  async terminate(options: OperatorOptions & { readonly compensate?: boolean } = {}): Promise<void> {
    await this.#operate('terminate', options, { compensate: options.compensate ?? false });
  }

  /** Holds the run: what comes is recorded, its code does not act. */
  async suspend(options: OperatorOptions = {}): Promise<void> {
    await this.#operate('suspend', options);
  }

  /** Lets a suspended run go on, on another `bundle` if its whole history replays there; or, with `fail`, ends it as failed. */
  async resume(options: OperatorOptions & { readonly bundle?: string; readonly fail?: boolean } = {}): Promise<void> {
    await this.#operate('resume', options, { bundle: options.bundle, fail: options.fail ?? false });
  }

  describe(options: ResultOptions = {}): Promise<RunView> {
    return this.#api.call({ method: 'GET', path: `${this.#path}${queryString({ runId: this.runId })}`, ...options });
  }

  /** Every event of the run, first to last. */
  async *history(options: ResultOptions = {}): AsyncGenerator<HistoryEvent, void> {
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page: HistoryPage = await this.#api.call<HistoryPage>({ method: 'GET', path: `${this.#path}/history${queryString({ runId: this.runId, after, limit: HISTORY_PAGE })}`, ...options });
      yield* page.events;
      after = page.next;
    }
  }

  /** Its activities and undo steps that have not closed: which attempt each is at, and why the last one failed. */
  async openTasks(options: ResultOptions = {}): Promise<readonly TaskView[]> {
    const { tasks } = await this.#api.call<{ readonly tasks: readonly TaskView[] }>({ method: 'GET', path: `/v1/tasks${queryString({ workflowId: this.workflowId })}`, ...options });
    return this.runId === undefined ? tasks : tasks.filter(({ run }) => run.runId === this.runId);
  }

  async #operate(operation: string, { reason, id = randomUUID(), signal }: OperatorOptions, more: object = {}): Promise<void> {
    await this.#decide(operation, { reason, id, ...more }, signal ? { signal } : {});
  }

  #decide<Answer>(path: string, body: object, options: MessageOptions): Promise<Answer> {
    return this.#api.decide(this.#post(path, body, options));
  }

  #post(path: string, body: object, { signal }: MessageOptions): Call {
    return { method: 'POST', path: `${this.#path}/${path}`, body: { ...body, runId: this.runId }, ...(signal ? { signal } : {}) };
  }
}

/** What `start` gives: it knows its run. */
export type StartedRun<W extends AnyWorkflow = AnyWorkflow> = RunHandle<W> & Required<Pick<RunHandle, 'runId' | 'created'>>;

const nameOf = (token: { readonly name: string } | string): string => {
  const name = typeof token === 'string' ? token : token.name;
  if (name === '') throw new PerdureError('invalid-request', 'The name is empty.');
  return encodeURIComponent(name);
};
