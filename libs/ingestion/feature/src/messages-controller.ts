import { Body, Controller, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { InputOutcome, Json } from '@perdure/contract';
import { PerdureError } from '@perdure/contract';
import { Tenant, zod } from '@perdure/http';
import { cancelRequest, messageRequest, queryRequest, resumeRequest, suspendRequest, terminateRequest, Workflows, type CancelRequest, type MessageRequest, type QueryRequest, type ResumeRequest, type Submitted, type TerminateRequest } from '@perdure/ingestion';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerPending, assertAccepted } from './answer.js';
import { callerOf, waitingCallerOf } from './caller.js';

/** What is sent to a run: messages of its own, and an operator's orders. */
@Controller('v1/workflows/:workflowId')
export class MessagesController {
  readonly #workflows: Workflows;

  constructor(@Inject(Workflows) workflows: Workflows) {
    this.#workflows = workflows;
  }

  @Post('signals/:name')
  @HttpCode(200)
  async signal(@Tenant() tenant: string, @Param() { workflowId, name }: Target, @Body(zod(messageRequest)) body: MessageRequest, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return toAnswer(reply, await this.#workflows.signal(callerOf(tenant, request), workflowId, { ...body, name }));
  }

  @Post('updates/:name')
  @HttpCode(200)
  async update(@Tenant() tenant: string, @Param() { workflowId, name }: Target, @Body(zod(messageRequest)) body: MessageRequest, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    const submitted = await this.#workflows.update(waitingCallerOf(tenant, request, reply), workflowId, { ...body, name });
    const outcome = assertAccepted(submitted.outcome);
    if (outcome?.kind !== 'updated') return answerPending(reply, submitted);
    return { workflowId, runId: outcome.runId, inputId: submitted.inputId, outcome: outcome.outcome };
  }

  @Post('queries/:name')
  @HttpCode(200)
  query(@Tenant() tenant: string, @Param() { workflowId, name }: Target, @Body(zod(queryRequest)) body: QueryRequest, @Req() request: FastifyRequest): Promise<{ readonly value?: Json }> {
    return this.#workflows.query(callerOf(tenant, request), workflowId, { ...body, name });
  }

  @Post('cancel')
  @HttpCode(200)
  async cancel(@Tenant() tenant: string, @Param('workflowId') workflowId: string, @Body(zod(cancelRequest)) body: CancelRequest, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return toAnswer(reply, await this.#workflows.cancel(callerOf(tenant, request), workflowId, body));
  }

  @Post('terminate')
  @HttpCode(200)
  async terminate(@Tenant() tenant: string, @Param('workflowId') workflowId: string, @Body(zod(terminateRequest)) body: TerminateRequest, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return toAnswer(reply, await this.#workflows.terminate(callerOf(tenant, request), workflowId, body));
  }

  @Post('suspend')
  @HttpCode(200)
  async suspend(@Tenant() tenant: string, @Param('workflowId') workflowId: string, @Body(zod(suspendRequest)) body: CancelRequest, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return toAnswer(reply, await this.#workflows.suspend(callerOf(tenant, request), workflowId, body));
  }

  @Post('resume')
  @HttpCode(200)
  async resume(@Tenant() tenant: string, @Param('workflowId') workflowId: string, @Body(zod(resumeRequest)) body: ResumeRequest, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return toAnswer(reply, await this.#workflows.resume(callerOf(tenant, request), workflowId, body));
  }
}

interface Target {
  readonly workflowId: string;
  readonly name: string;
}

const runIdOf = (outcome: Exclude<InputOutcome, { kind: 'refused' }>): string => outcome.runId;

const toAnswer = (reply: FastifyReply, submitted: Submitted): unknown => {
  const outcome = assertAccepted(submitted.outcome);
  if (!outcome) return answerPending(reply, submitted);
  if (outcome.kind === 'started') throw new PerdureError('internal', 'A message was answered as a start.');
  return { workflowId: submitted.workflowId, runId: runIdOf(outcome), inputId: submitted.inputId, status: 'accepted' };
};
