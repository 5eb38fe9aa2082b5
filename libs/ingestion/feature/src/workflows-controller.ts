import { Body, Controller, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { PerdureError, type HistoryPage, type RunPage, type RunResult, type RunView } from '@perdure/contract';
import { Tenant, zod } from '@perdure/http';
import { assertId, attributeFilter, historyQuery, listQuery, resultQuery, RunReader, runQuery, startRequest, unknownRun, Workflows, type StartRequest } from '@perdure/ingestion';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { answerPending, assertAccepted, locationOf } from './answer.js';
import { callerOf, idempotencyKeyOf, preferencesOf, waitingCallerOf } from './caller.js';

/** Starting runs and reading them. */
@Controller('v1/workflows')
export class WorkflowsController {
  readonly #workflows: Workflows;
  readonly #runs: RunReader;

  constructor(@Inject(Workflows) workflows: Workflows, @Inject(RunReader) runs: RunReader) {
    this.#workflows = workflows;
    this.#runs = runs;
  }

  @Post()
  async start(@Tenant() tenant: string, @Body(zod(startRequest)) body: StartRequest, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    const { waitS } = preferencesOf(request);
    const caller = waitS > 0 ? waitingCallerOf(tenant, request, reply) : callerOf(tenant, request);
    const submitted = await this.#workflows.start(caller, body, idempotencyKeyOf(request));
    const outcome = assertAccepted(submitted.outcome);
    if (outcome?.kind !== 'started') return answerPending(reply, submitted);
    const { workflowId } = submitted;
    void reply.status(outcome.created ? 201 : 200).header('location', locationOf(workflowId));
    const started = { workflowId, runId: outcome.runId, created: outcome.created };
    if (waitS === 0) return started;
    void reply.header('preference-applied', `wait=${waitS}`);
    const result = await this.#workflows.result(caller, { workflowId }, waitS * 1000);
    return { ...started, ...result };
  }

  @Get()
  list(@Tenant() tenant: string, @Query(zod(listQuery)) query: z.output<typeof listQuery>): Promise<RunPage> {
    const { status, type, workflowId, cursor, limit } = query;
    for (const key of Object.keys(query)) {
      if (!(key in listQuery.shape) && !key.startsWith('attr.')) throw new PerdureError('invalid-request', `There is no filter "${key}"; a search attribute is named attr.${key}.`);
    }
    const attributes = attributeFilter(query);
    return this.#runs.list(tenant, { limit, ...(status ? { status } : {}), ...(type ? { workflowType: type } : {}), ...(workflowId ? { workflowId } : {}), ...(cursor ? { cursor } : {}), ...(Object.keys(attributes).length > 0 ? { attributes } : {}) });
  }

  @Get(':workflowId')
  async show(@Tenant() tenant: string, @Param('workflowId') workflowId: string, @Query(zod(runQuery)) { runId }: z.output<typeof runQuery>): Promise<RunView> {
    const ref = { tenant, workflowId: assertId('workflowId', workflowId), ...(runId ? { runId } : {}) };
    const run = await this.#runs.find(ref);
    if (!run) throw unknownRun(ref);
    return run;
  }

  @Get(':workflowId/result')
  result(@Tenant() tenant: string, @Param('workflowId') workflowId: string, @Query(zod(resultQuery)) query: z.output<typeof resultQuery>, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<RunResult> {
    const { runId, wait } = query;
    const caller = wait > 0 ? waitingCallerOf(tenant, request, reply) : callerOf(tenant, request);
    return this.#workflows.result(caller, { workflowId, ...(runId ? { runId } : {}) }, wait * 1000);
  }

  @Get(':workflowId/history')
  async history(@Tenant() tenant: string, @Param('workflowId') workflowId: string, @Query(zod(historyQuery)) query: z.output<typeof historyQuery>): Promise<HistoryPage> {
    const { runId, after, limit } = query;
    const ref = { tenant, workflowId: assertId('workflowId', workflowId), ...(runId ? { runId } : {}) };
    const page = await this.#runs.history(ref, { after, limit });
    if (!page) throw unknownRun(ref);
    return page;
  }

  /** What became of an input that was answered 202. */
  @Get(':workflowId/inputs/:inputId')
  async input(@Tenant() tenant: string, @Param('workflowId') workflowId: string, @Param('inputId') inputId: string): Promise<unknown> {
    const outcome = await this.#workflows.outcome({ tenant, workflowId: assertId('workflowId', workflowId), inputId: assertId('inputId', inputId, 1024) });
    if (!outcome) return { workflowId, inputId, status: 'pending' };
    return { workflowId, inputId, status: 'decided', outcome };
  }
}
