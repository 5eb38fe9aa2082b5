import { fiveStepResult } from './expected.js';
import type { Reply, Request } from './http-lane.js';

/** `bare` is the least that a node:http server does with such requests: a limit, no system. */
export type SystemName = 'perdure' | 'restate' | 'bare';

/** How a system is asked over its public HTTP API, with one request wherever it has one that does. */
export interface Dialect {
  /** Starts a workflow and waits for its result. */
  run(workflow: string, id: string): Request;
  /** What a run that has ended has returned. */
  result(workflow: string, id: string): Request;
  /** Whether a reply is the result that `expected` names. */
  holds(reply: Reply, expected: string): boolean;
}

const JSON_HEADERS = { 'content-type': 'application/json' };
const WAITING = { ...JSON_HEADERS, prefer: 'wait=60' };

export const DIALECTS: Readonly<Record<SystemName, Dialect>> = {
  perdure: {
    run: (workflow, id) => ({ method: 'POST', path: '/v1/workflows', headers: WAITING, body: JSON.stringify({ workflowType: workflow, workflowId: id, input: id }) }),
    result: (_workflow, id) => ({ method: 'GET', path: `/v1/workflows/${id}/result` }),
    holds: ({ status, body }, expected) => status < 300 && body.includes('"status":"completed"') && body.includes(`"result":${JSON.stringify(expected)}`),
  },
  restate: {
    run: (workflow, id) => ({ method: 'POST', path: `/${workflow}/${id}/run`, headers: JSON_HEADERS, body: JSON.stringify(id) }),
    result: (workflow, id) => ({ method: 'GET', path: `/restate/workflow/${workflow}/${id}/output` }),
    holds: ({ status, body }, expected) => status === 200 && body === JSON.stringify(expected),
  },
  bare: {
    run: (workflow, id) => DIALECTS.perdure.run(workflow, id),
    result: (workflow, id) => DIALECTS.perdure.result(workflow, id),
    holds: ({ status }) => status === 200,
  },
};

export const EXPECTED: Readonly<Record<string, (id: string) => string>> = { fiveStep: fiveStepResult };
