import { Body, Controller, Get, HttpCode, Inject, Post, Query, Res } from '@nestjs/common';
import { PerdureError, type AnswerReceipt, type HeartbeatResponse, type PollResponse, type TaskView } from '@perdure/contract';
import { abortWait, Tenant, zod } from '@perdure/http';
import { TaskDesk, TaskReader } from '@perdure/scheduler';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { answersBody, heartbeatsBody, pollBody, tasksQuery } from './schemas.js';

/** What pulling workers call, and how their tasks fare. */
@Controller('v1/tasks')
export class TasksController {
  readonly #desk: TaskDesk;
  readonly #tasks: TaskReader;

  constructor(@Inject(TaskDesk) desk: TaskDesk, @Inject(TaskReader) tasks: TaskReader) {
    this.#desk = desk;
    this.#tasks = tasks;
  }

  @Get()
  async list(@Tenant() tenant: string, @Query(zod(tasksQuery)) { workflowId }: z.output<typeof tasksQuery>): Promise<{ readonly tasks: readonly TaskView[] }> {
    return { tasks: await this.#tasks.ofWorkflow(tenant, workflowId) };
  }

  @Post('poll')
  @HttpCode(200)
  async poll(@Tenant() tenant: string, @Body(zod(pollBody)) body: z.output<typeof pollBody>, @Res({ passthrough: true }) reply: FastifyReply): Promise<PollResponse> {
    return this.#desk.poll(tenant, body, abortWait(reply));
  }

  /** Where a request without an upgrade ends, and any request where the server opens no sockets (`TaskSocket`). */
  @Get('socket')
  socket(): never {
    throw new PerdureError('invalid-request', 'A WebSocket is opened here, with "Upgrade: websocket", if the server runs on Node.js 22.21, 24.9 or later.');
  }

  @Post('answers')
  @HttpCode(200)
  async answer(@Tenant() tenant: string, @Body(zod(answersBody)) body: z.output<typeof answersBody>): Promise<{ readonly receipts: readonly AnswerReceipt[] }> {
    return { receipts: await this.#desk.answer(tenant, body.answers) };
  }

  @Post('heartbeats')
  @HttpCode(200)
  async heartbeat(@Tenant() tenant: string, @Body(zod(heartbeatsBody)) body: z.output<typeof heartbeatsBody>): Promise<{ readonly responses: readonly HeartbeatResponse[] }> {
    return { responses: await this.#desk.heartbeat(tenant, body.heartbeats) };
  }
}
