import type { Clock } from '@perdure/clock';
import { PerdureError, PROBLEMS, toPerdureError, type InputBody, type InputOutcome, type Json, type RunResult, type RunView, type TaskAnswer } from '@perdure/contract';
import { EventTypes, type IncomingEvent } from '@perdure/correlation';
import type { EmbeddedShard } from '@perdure/embedded';
import { deriveRunId, newId } from '@perdure/identity';
import { activity } from '@perdure/sdk/activity';
import type { HttpAnswer, HttpRequest } from '@perdure/sdk/client';
import type { SqliteRunReader } from '@perdure/sqlite';
import type { ActivityHost } from './activity-host.js';
import { openWaitsOf, StuckRun } from './stuck-run.js';
import type { Timeline } from './timeline.js';

export interface WorldServerOptions {
  readonly shard: EmbeddedShard;
  readonly reader: SqliteRunReader;
  readonly timeline: Timeline;
  readonly host: ActivityHost;
  readonly clock: Clock;
  readonly tenant: string;
  /** Hash of the bundle that runs take. */
  readonly bundle: string;
}

interface Body {
  readonly id?: string;
  readonly runId?: string;
  readonly workflowId?: string;
  readonly workflowType?: string;
  readonly input?: Json;
  readonly memo?: Json;
  readonly searchAttributes?: Json;
  readonly runTimeoutMs?: number;
  readonly reason?: string;
  readonly compensate?: boolean;
  readonly fail?: boolean;
  readonly answers?: readonly TaskAnswer[];
}

interface Target {
  readonly workflowId: string;
  readonly runId?: string;
}

const EVERYTHING = Number.MAX_SAFE_INTEGER;
const PAGE = 100;

/**
 * What the client's requests mean in the world: the server's API, without HTTP.
 *
 * A message is given to a settled world, so that it is certain what it finds; one that an activity sends itself cannot wait for that.
 * Only waiting for a result, of a run or of an update, skips time.
 */
export class WorldServer {
  readonly #options: WorldServerOptions;
  readonly #eventTypes = new EventTypes();

  constructor(options: WorldServerOptions) {
    this.#options = options;
  }

  /** @throws StuckRun; all other errors are answers, as they are over HTTP */
  async answer(request: HttpRequest): Promise<HttpAnswer> {
    try {
      const answer = await this.#route(request);
      return { status: 200, body: answer === undefined ? '' : JSON.stringify(answer) };
    } catch (thrown) {
      if (thrown instanceof StuckRun) throw thrown;
      const { code, message, errors } = toPerdureError(thrown);
      return { status: PROBLEMS[code][0], body: JSON.stringify({ code, detail: message, errors }) };
    }
  }

  async #route({ method, path, body: text }: HttpRequest): Promise<unknown> {
    const { pathname, searchParams } = new URL(path, 'http://world');
    const [, , resource, id, operation, name] = pathname.split('/').map(decodeURIComponent);
    const body = (text === undefined ? {} : JSON.parse(text)) as Body;
    await this.#settled();
    if (resource === 'events' && method === 'POST') return this.#publish(body as IncomingEvent);
    if (resource === 'tasks' && id === 'answers' && method === 'POST') return { receipts: await this.#options.shard.answer(this.#options.tenant, body.answers ?? []) };
    if (resource === 'workflows' && id === undefined) return method === 'POST' ? this.#start(body) : this.#list(searchParams);
    if (resource === 'workflows' && id !== undefined) {
      const runId = searchParams.get('runId') ?? body.runId;
      const target = { workflowId: id, ...(runId === undefined ? {} : { runId }) };
      return method === 'POST' ? this.#send(target, body, { operation, name }) : this.#read(target, operation);
    }
    throw new PerdureError('unknown-route', `A test world does not answer ${method} ${pathname}.`);
  }

  async #settled(): Promise<void> {
    if (!isInActivity()) await this.#options.timeline.settled();
  }

  // ── messages ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async #start({ workflowId, workflowType = '', id, input, memo, searchAttributes, runTimeoutMs }: Body): Promise<{ readonly workflowId: string; readonly runId: string }> {
    const { tenant, clock, bundle } = this.#options;
    const target = { workflowId: workflowId ?? newId(clock.now()) };
    const startId = id === undefined ? 'start' : `start/${id}`;
    const attributes = { ...(memo === undefined ? {} : { memo }), ...(searchAttributes === undefined ? {} : { searchAttributes }) };
    const outcome = await this.#append(target, startId, {
      kind: 'start',
      workflowType,
      newRunId: deriveRunId({ tenant, ...target, startId }),
      bundle,
      ...(input === undefined ? {} : { input }),
      ...(Object.keys(attributes).length === 0 ? {} : { attributes: attributes as RunView }),
      ...(runTimeoutMs === undefined ? {} : { runTimeoutMs }),
    });
    return { ...target, runId: runIdOf(outcome) };
  }

  async #send(target: Target, body: Body, { operation, name = '' }: { readonly operation: string | undefined; readonly name: string | undefined }): Promise<unknown> {
    const { id = newId(this.#options.clock.now()), input, reason } = body;
    const given = input === undefined ? {} : { input };
    const why = reason === undefined ? {} : { reason };
    switch (operation) {
      case 'queries':
        return this.#options.shard.query({ tenant: this.#options.tenant, ...target, name, ...given });
      case 'updates':
        return this.#update(target, id, { kind: 'update', name, ...given });
      case 'signals':
        return this.#append(target, id, { kind: 'signal', name, ...given });
      case 'cancel':
        return this.#append(target, id, { kind: 'cancel', ...why });
      case 'terminate':
        return this.#append(target, id, { kind: 'terminate', compensate: body.compensate ?? false, ...why });
      case 'suspend':
        return this.#append(target, id, { kind: 'suspend', ...why });
      case 'resume':
        return this.#append(target, id, { kind: 'resume', fail: body.fail ?? false, ...why });
      default:
        throw new PerdureError('unknown-route', `A test world knows no operation "${operation}".`);
    }
  }

  async #update(target: Target, inputId: string, body: InputBody): Promise<unknown> {
    const { timeline, reader, tenant } = this.#options;
    await this.#append(target, inputId, body);
    return timeline.skipUntil({
      reached: () => {
        const outcome = reader.outcome({ tenant, workflowId: target.workflowId, inputId });
        if (outcome?.kind === 'refused') throw refusalOf(outcome);
        return outcome?.kind === 'updated' ? { outcome: outcome.outcome } : undefined;
      },
      stuck: () => this.#stuck(target),
    });
  }

  /** @throws PerdureError when the engine refused it */
  async #append(target: Target, id: string, body: InputBody): Promise<InputOutcome> {
    const { shard, host, tenant, clock } = this.#options;
    const [outcome] = await shard.append([{ id, tenant, ...target, at: clock.now(), ...body }]);
    host.touch();
    if (outcome?.kind === 'refused') throw refusalOf(outcome);
    return outcome!;
  }

  async #publish(event: IncomingEvent): Promise<unknown> {
    const { shard, host, tenant, clock } = this.#options;
    const [status] = await shard.publish([this.#eventTypes.toExternalEvent(tenant, event, clock.now())]);
    host.touch();
    return { events: [{ status }] };
  }

  // ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #read(target: Target, operation: string | undefined): unknown {
    if (operation === undefined) return this.#find(target);
    if (operation === 'result') return this.#result(target);
    if (operation === 'history') return this.#history(target);
    throw new PerdureError('unknown-route', `A test world knows no "${operation}" of a run.`);
  }

  #list(filters: URLSearchParams): unknown {
    const { status, type, workflowId, cursor, ...rest } = Object.fromEntries(filters);
    const attributes = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key.replace(/^attr\./, ''), value]));
    return this.#options.reader.list(this.#options.tenant, { ...(status ? { status } : {}), ...(type ? { workflowType: type } : {}), ...(workflowId ? { workflowId } : {}), ...(cursor ? { cursor } : {}), attributes, limit: PAGE });
  }

  #find(target: Target): RunView {
    const { reader, tenant } = this.#options;
    const view = reader.find({ tenant, ...target });
    if (!view) throw new PerdureError('unknown-run', `There is no run of "${target.workflowId}".`);
    return view;
  }

  #history(target: Target): unknown {
    this.#find(target);
    return this.#options.reader.history({ tenant: this.#options.tenant, ...target }, { after: 0, limit: EVERYTHING });
  }

  #result(target: Target): Promise<RunResult> {
    const { timeline, reader, tenant } = this.#options;
    this.#find(target);
    return timeline.skipUntil({
      reached: () => {
        const result = reader.result({ tenant, ...target });
        if (result?.status === 'suspended') throw this.#stuck(target);
        return result?.status === 'running' ? undefined : result;
      },
      stuck: () => this.#stuck(target),
    });
  }

  #stuck(target: Target): StuckRun {
    const { reader, tenant } = this.#options;
    const history = reader.history({ tenant, ...target }, { after: 0, limit: EVERYTHING });
    return new StuckRun(this.#find(target), openWaitsOf(history?.events ?? []));
  }
}

const isInActivity = (): boolean => {
  try {
    return activity() !== undefined;
  } catch {
    return false;
  }
};

const runIdOf = (outcome: InputOutcome): string => ('runId' in outcome ? outcome.runId : '');

const refusalOf = ({ problem }: Extract<InputOutcome, { kind: 'refused' }>): PerdureError => {
  const { code, detail, errors } = problem;
  return new PerdureError(Object.hasOwn(PROBLEMS, code) ? (code as keyof typeof PROBLEMS) : 'internal', detail, errors === undefined ? {} : { errors });
};
