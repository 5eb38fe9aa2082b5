import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { PerdureError } from '@perdure/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { fromThrown, PROBLEM_JSON, toProblem } from './problem.js';
import type { RouteTable } from './route-table.js';

/** A client is asked to wait so long before it tries again, seconds. */
const RETRY_AFTER_S = 1;

/** Every error leaves as problem+json. Only what is ours to mend is logged as an error. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #routes: RouteTable;
  readonly #onInternal: (error: PerdureError, request: FastifyRequest) => void;

  constructor(routes: RouteTable, onInternal: (error: PerdureError, request: FastifyRequest) => void) {
    this.#routes = routes;
    this.#onInternal = onInternal;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    let error = fromThrown(thrown);
    if (error.code === 'unknown-route') error = this.#unknownRoute(request, reply) ?? error;
    request.refusal = error.code;
    if (error.code === 'internal') this.#onInternal(error, request);
    if (reply.sent || reply.raw.headersSent) return;
    const problem = toProblem(error);
    if (problem.status === 503 || problem.status === 429) void reply.header('retry-after', RETRY_AFTER_S);
    if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
    void reply.status(problem.status).header('content-type', PROBLEM_JSON).send(JSON.stringify(problem));
  }

  #unknownRoute(request: FastifyRequest, reply: FastifyReply): PerdureError | undefined {
    const path = request.url.split('?', 1)[0]!;
    const allowed = this.#routes.methodsOf(path);
    if (allowed.length === 0) return new PerdureError('unknown-route', `There is no ${request.method} ${path}.`);
    // The route was there, and has said itself what was not.
    if (allowed.includes(request.method)) return undefined;
    void reply.header('allow', allowed.join(', '));
    return new PerdureError('method-not-allowed', `${path} takes ${allowed.join(', ')}, not ${request.method}.`);
  }
}
