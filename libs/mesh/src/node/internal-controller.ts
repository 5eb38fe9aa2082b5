import { Body, Controller, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { PerdureError } from '@perdure/contract';
import { answerBulk, parseDeliveries, type AnswerOptions } from '@perdure/dapr';
import type { SliceName } from '@perdure/delivery';
import { abortWait } from '@perdure/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DeliveryDoor } from './delivery-door.js';
import { FORWARDED_HEADER } from './node-calls.js';
import { SliceOperations } from './slice-operations.js';

/** The service whose node this is. */
export abstract class OwnService {
  abstract sliceNamed(index: string): SliceName;
  /** For the log: what pub/sub brought and could not be read, or not be handed on now. */
  abstract readonly told: AnswerOptions;
}

/** What sidecars and other nodes ask of this one. An error is never an acknowledgement: every one of them is answered with a 4xx or 5xx. */
@Controller('internal')
export class InternalController {
  readonly #door: DeliveryDoor;
  readonly #operations: SliceOperations<never, never>;
  readonly #service: OwnService;
  readonly #told: AnswerOptions;

  constructor(@Inject(DeliveryDoor) door: DeliveryDoor, @Inject(SliceOperations) operations: SliceOperations<never, never>, @Inject(OwnService) service: OwnService) {
    this.#door = door;
    this.#operations = operations;
    this.#service = service;
    this.#told = service.told;
  }

  /** Direct, by service invocation or from a node of the same service. */
  @Post('deliveries')
  @HttpCode(200)
  async deliver(@Body() body: unknown, @Req() request: FastifyRequest): Promise<{ readonly ok: true }> {
    await this.#door.deliver(parseDeliveries(body), { isForwarded: isForwarded(request) });
    return { ok: true };
  }

  /** What pub/sub brings. */
  @Post('deliveries/pubsub')
  @HttpCode(200)
  async deliverBulk(@Body() body: unknown, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    const answer = await answerBulk(body, (batch) => this.#door.deliver(batch, { isForwarded: false }), this.#told);
    reply.status(answer.httpStatus);
    return answer.body;
  }

  @Post('slices/:index/:operation')
  @HttpCode(200)
  async ask(@Param('index') index: string, @Param('operation') operation: string, @Body() body: unknown, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return (await this.#operations.run(this.#service.sliceNamed(index), operation, { body, signal: abortWait(reply), isForwarded: isForwarded(request) })) ?? {};
  }
}

const isForwarded = (request: FastifyRequest): boolean => request.headers[FORWARDED_HEADER] !== undefined;

export const sliceNaming = (slices: readonly SliceName[], told: AnswerOptions): OwnService => ({
  told,
  sliceNamed: (index) => {
    const slice = slices.find((each) => each.endsWith(`/${index}`));
    if (!slice) throw new PerdureError('unknown-route', `There is no slice ${index}.`);
    return slice;
  },
});
