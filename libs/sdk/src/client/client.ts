import { randomUUID } from 'node:crypto';
import { PerdureError, type AnswerReceipt, type BundleView, type Json, type JsonObject, type RunPage, type RunStatus, type RunView, type Scalar } from '@perdure/contract';
import { durationMs, type Duration } from '../common/duration.js';
import { toFailure } from '../common/failure.js';
import type { InputOf, WithInput } from '../common/tokens.js';
import { Api, queryString } from './api.js';
import { RunHandle, type StartedRun } from './run-handle.js';
import { createTransport, type Transport } from './transport.js';

export interface ClientOptions {
  /** Default `http://localhost:8080`. */
  readonly url?: string;
  /** Checked by the server against the credential. */
  readonly tenant?: string;
  readonly apiKey?: string;
  /** How long a request is tried again after network errors, 429 and 503. Default one minute. */
  readonly retryFor?: Duration;
  /** Sends one request; default keep-alive HTTP. */
  readonly transport?: Transport;
}

type AnyWorkflow = (...args: never[]) => Promise<unknown>;

/** `input` is required exactly when the workflow takes one. */
export type StartOptions<W extends AnyWorkflow> = {
  /** Names the workflow for ever: starting it again gives the same run. Default: a new UUID. */
  readonly workflowId?: string;
  /** Tells one start of a workflow id from another: give a new one to run a closed workflow id again. */
  readonly id?: string;
  /** Hash of the bundle to run on. Default: the newest deployed that has the workflow. */
  readonly bundle?: string;
  readonly memo?: JsonObject;
  readonly searchAttributes?: Readonly<Record<string, Scalar | readonly string[]>>;
  /** The run fails when it has not ended by then. Default: no bound. */
  readonly runTimeout?: Duration;
  readonly signal?: AbortSignal;
} & (undefined extends InputOf<W> ? { readonly input?: InputOf<W> } : { readonly input: InputOf<W> });

export interface ListFilter {
  readonly status?: RunStatus;
  readonly workflowType?: string;
  readonly workflowId?: string;
  readonly attributes?: Readonly<Record<string, Scalar>>;
  readonly signal?: AbortSignal;
}

export interface NewEvent {
  readonly type: string;
  /** Default `/perdure/client`. */
  readonly source?: string;
  /** `(source, id)` is its identity. Default: a new UUID. */
  readonly id?: string;
  readonly subject?: string;
  readonly time?: Date;
  readonly data?: Json;
}

/**
 * Talks to a Perdure server. One client per process will do: it keeps its connections.
 *
 * @example
 * const client = new Client({ url: 'http://localhost:8080', tenant: 'demo' });
 * const run = await client.start(deliver, { workflowId: 'order-7', input: order });
 * console.log(await run.result());
 */
export class Client {
  readonly #api: Api;
  readonly #close: () => Promise<void>;

  constructor(options: ClientOptions = {}) {
    const { send, close } = options.transport ? { send: options.transport, close: async () => undefined } : createTransport(options.url ?? 'http://localhost:8080');
    this.#close = close;
    this.#api = new Api({ send, retryForMs: durationMs(options.retryFor ?? '1 minute'), ...(options.apiKey ? { apiKey: options.apiKey } : {}), ...(options.tenant ? { tenant: options.tenant } : {}) });
  }

  /**
   * Starts a workflow by its function (its types then hold for input and result) or by its name. Resolves once the run is there.
   *
   * @throws PerdureError `unknown-workflow`, `workflow-exists` (the id runs with another type or input), `invalid-id`
   */
  async start<W extends AnyWorkflow>(workflow: W | string, ...[options]: WithInput<W, StartOptions<W>>): Promise<StartedRun<W>> {
    const { signal, runTimeout, workflowId = randomUUID(), ...rest } = (options ?? {}) as StartOptions<AnyWorkflow>;
    const workflowType = typeof workflow === 'string' ? workflow : workflow.name;
    if (!workflowType) throw new PerdureError('unknown-workflow', 'The workflow function has no name.');
    const body = { ...rest, workflowType, workflowId, ...(runTimeout === undefined ? {} : { runTimeoutMs: durationMs(runTimeout) }) };
    const { runId, created } = await this.#api.decide<{ readonly runId: string; readonly created: boolean }>({ method: 'POST', path: '/v1/workflows', body, ...(signal ? { signal } : {}) });
    return new RunHandle<W>(this.#api, { workflowId, runId, created }) as StartedRun<W>;
  }

  /** Starts a workflow and waits for what it returns. */
  async execute<W extends AnyWorkflow>(workflow: W | string, ...options: WithInput<W, StartOptions<W>>): ReturnType<RunHandle<W>['result']> {
    // Of that run: the workflow id's newest may be another one by then.
    const { workflowId, runId } = await this.start<W>(workflow, ...options);
    return this.run<W>(workflowId, runId).result();
  }

  /** A handle of a workflow id's newest run, or of one run. Asks the server nothing. */
  run<W extends AnyWorkflow = AnyWorkflow>(workflowId: string, runId?: string): RunHandle<W> {
    return new RunHandle<W>(this.#api, { workflowId, ...(runId === undefined ? {} : { runId }) });
  }

  /** Runs of the tenant, newest first. */
  async *list({ status, workflowType, workflowId, attributes = {}, signal }: ListFilter = {}): AsyncGenerator<RunView, void> {
    const filters = { status, type: workflowType, workflowId, ...Object.fromEntries(Object.entries(attributes).map(([key, value]) => [`attr.${key}`, value])) };
    let cursor: string | undefined;
    do {
      const page: RunPage = await this.#api.call<RunPage>({ method: 'GET', path: `/v1/workflows${queryString({ ...filters, cursor })}`, ...(signal ? { signal } : {}) });
      yield* page.runs;
      cursor = page.next;
    } while (cursor !== undefined);
  }

  /**
   * Publishes an external event (a CloudEvent) for runs that `receive` it. Resolves once it is durable.
   *
   * @returns `duplicate` when the same (source, id) was published in the last seven days
   */
  async publish({ time, source = '/perdure/client', id = randomUUID(), ...event }: NewEvent): Promise<'accepted' | 'duplicate'> {
    const body = { specversion: '1.0', id, source, ...(time ? { time: time.toISOString() } : {}), ...event };
    const { events } = await this.#api.call<{ readonly events: readonly { readonly status: 'accepted' | 'duplicate' }[] }>({ method: 'POST', path: '/v1/events', body, headers: { 'content-type': 'application/cloudevents+json' } });
    return events[0]?.status ?? 'accepted';
  }

  /**
   * Completes an attempt whose activity ended with `completeLater`, by its token. Any process may that has the tenant's key.
   *
   * @returns `superseded` when the attempt has ended otherwise: the value is not recorded. The first answer counts; the same one, sent again soon after it, is told `recorded` as well.
   * @example await client.complete(token, { approved: true });
   */
  complete(token: string, value?: unknown): Promise<AnswerReceipt['status']> {
    return this.#answer({ token, kind: 'completed', value });
  }

  /** Fails it: it is tried again under its retry policy, but for a `TerminalError`. */
  fail(token: string, error: Error): Promise<AnswerReceipt['status']> {
    return this.#answer({ token, kind: 'failed', error: toFailure(error) });
  }

  async #answer(answer: object): Promise<AnswerReceipt['status']> {
    const { receipts } = await this.#api.call<{ readonly receipts: readonly [AnswerReceipt] }>({ method: 'POST', path: '/v1/tasks/answers', body: { answers: [answer] } });
    return receipts[0].status;
  }

  /** Deploys a bundle: new runs of its workflows take it, running ones stay on theirs. */
  deploy(bundle: { readonly name: string; readonly code: string; readonly sourceMap?: string }): Promise<BundleView> {
    return this.#api.call({ method: 'POST', path: '/v1/bundles', body: { name: bundle.name, code: bundle.code, sourceMap: bundle.sourceMap } });
  }

  async bundles(): Promise<readonly BundleView[]> {
    return (await this.#api.call<{ readonly bundles: readonly BundleView[] }>({ method: 'GET', path: '/v1/bundles' })).bundles;
  }

  /** @throws PerdureError `bundle-in-use` with the reason */
  async retire(hash: string): Promise<void> {
    await this.#api.call({ method: 'DELETE', path: `/v1/bundles/${encodeURIComponent(hash)}` });
  }

  /** Closes the connections. */
  close(): Promise<void> {
    return this.#close();
  }
}
