import { wordFor, type RunInput } from './expected.js';
import type { Reply, Request } from './http-lane.js';

/** `bare` is the least that a node:http server does with such requests: a limit, no system. */
export type SystemName = 'perdure' | 'restate' | 'bare';

/** How a system is asked over its public HTTP API, with one request wherever it has one that does. */
export interface Dialect {
  /** Starts a workflow and waits for its result. */
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

export const DIALECTS: Readonly<Record<SystemName, Dialect>> = { perdure, restate, bare: { ...perdure, holds: ({ status }) => status === 200 } };
