import { wordFor, type RunInput } from './expected.js';
import type { Reply, Request } from './http-lane.js';

/** `bare` is the least that a node:http server does with such requests: a limit, no system. */
export type SystemName = 'perdure' | 'restate' | 'mesh' | 'temporal' | 'dbos' | 'bare';

/** How a system is asked over its public HTTP API, with one request wherever it has one that does. */
export interface Dialect {
  /** Starts a workflow and waits for its result, unless `attachesAfterRun`. */
  run(workflow: string, id: string, input: RunInput): Request;
  /** Starts a workflow. */
  start(workflow: string, id: string, input: RunInput): Request;
  /** Sends a run the word that it waits for. */
  wake(workflow: string, id: string): Request;
  /** Waits for a run's result. */
  attach(workflow: string, id: string): Request;
  /** What a run that has ended has returned. */
  result(workflow: string, id: string): Request;
  /** Whether a reply to `run`, `attach` or `result` is that the run returned what `expected` says. */
  holds(reply: Reply, expected: unknown): boolean;
  /** It has no request that does both: after `run`, the result is waited for by `attach`. */
  readonly attachesAfterRun?: true;
  /** Whether a reply to `attach` is that the server has waited long enough, and is to be asked again. */
  isPending?(reply: Reply): boolean;
}

const JSON_HEADERS = { 'content-type': 'application/json' };
const WAITING = { ...JSON_HEADERS, prefer: 'wait=60' };

const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = JSON_HEADERS): Request => ({ method: 'POST', path, headers, body: JSON.stringify(body) });
const get = (path: string): Request => ({ method: 'GET', path });

const perdure: Dialect = {
  run: (workflowType, workflowId, input) => post('/v1/workflows', { workflowType, workflowId, input }, WAITING),
  start: (workflowType, workflowId, input) => post('/v1/workflows', { workflowType, workflowId, input }),
  wake: (_workflow, id) => post(`/v1/workflows/${id}/signals/woken`, { id: 'woken', input: wordFor(id) }),
  attach: (_workflow, id) => get(`/v1/workflows/${id}/result?wait=60`),
  result: (_workflow, id) => get(`/v1/workflows/${id}/result`),
  holds: ({ status, body }, expected) => status < 300 && body.includes('"status":"completed"') && body.includes(`"result":${JSON.stringify(expected)}`),
};

const restate: Dialect = {
  run: (workflow, id, input) => post(`/${workflow}/${id}/run`, input),
  start: (workflow, id, input) => post(`/${workflow}/${id}/run/send`, input),
  wake: (workflow, id) => post(`/${workflow}/${id}/woken`, wordFor(id)),
  attach: (workflow, id) => get(`/restate/workflow/${workflow}/${id}/attach`),
  result: (workflow, id) => get(`/restate/workflow/${workflow}/${id}/output`),
  holds: ({ status, body }, expected) => status === 200 && body === JSON.stringify(expected),
};

/** Its own HTTP API. One waits for a result by waiting for the event that closes the history, for 20 s at most: then the reply is without one. */
const temporal: Dialect = {
  run: (workflow, id, input) => post(temporalPath(id), { workflowType: { name: workflow }, taskQueue: { name: TEMPORAL_TASK_QUEUE }, input: [input] }),
  start: (workflow, id, input) => temporal.run(workflow, id, input),
  wake: (_workflow, id) => post(`${temporalPath(id)}/signal/woken`, { input: [wordFor(id)] }),
  attach: (_workflow, id) => get(`${temporalPath(id)}/history?waitNewEvent=true&historyEventFilterType=HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT`),
  result: (_workflow, id) => get(`${temporalPath(id)}/history?historyEventFilterType=HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT`),
  holds: ({ status, body }, expected) => status === 200 && JSON.stringify(temporalResult(JSON.parse(body) as TemporalHistory)) === JSON.stringify(expected),
  attachesAfterRun: true,
  isPending: ({ status, body }) => status === 200 && !body.includes('"events"'),
};

export const TEMPORAL_TASK_QUEUE = 'bench';

const temporalPath = (id: string): string => `/api/v1/namespaces/default/workflows/${id}`;

interface TemporalHistory {
  readonly history?: { readonly events?: readonly { readonly workflowExecutionCompletedEventAttributes?: { readonly result?: readonly unknown[] } }[] };
}

const temporalResult = ({ history }: TemporalHistory): unknown => history?.events?.at(-1)?.workflowExecutionCompletedEventAttributes?.result?.[0];

/** It is a library: these are the routes of the program that uses it. */
const dbos: Dialect = {
  run: (workflow, id, input) => post(`/${workflow}/${id}`, input),
  start: (workflow, id, input) => post(`/${workflow}/${id}/start`, input),
  wake: (workflow, id) => post(`/${workflow}/${id}/woken`, wordFor(id)),
  attach: (workflow, id) => get(`/${workflow}/${id}`),
  result: (workflow, id) => get(`/${workflow}/${id}`),
  holds: restate.holds,
};

export const DIALECTS: Readonly<Record<SystemName, Dialect>> = { perdure, restate, mesh: perdure, temporal, dbos, bare: { ...perdure, holds: ({ status }) => status === 200 } };
