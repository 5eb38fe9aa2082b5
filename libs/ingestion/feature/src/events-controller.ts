import { Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { PerdureError } from '@perdure/contract';
import { check, Tenant, traceOf } from '@perdure/http';
import { assertName, cloudEvent, Events, type CloudEvent, type Published } from '@perdure/ingestion';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

const batch = z.array(cloudEvent);

/** CloudEvents 1.0 over HTTP: structured, batched and binary mode; and signed webhooks. Answered 202 once durable. */
@Controller('v1')
export class EventsController {
  readonly #events: Events;

  constructor(@Inject(Events) events: Events) {
    this.#events = events;
  }

  @Post('events')
  @HttpCode(202)
  async publish(@Tenant() tenant: string, @Req() request: FastifyRequest): Promise<{ readonly events: readonly Published[] }> {
    return { events: await this.#events.publish(tenant, readEvents(request), traceOf(request)) };
  }

  @Post('webhooks/:source')
  @HttpCode(202)
  async receive(@Param('source') source: string, @Req() request: FastifyRequest): Promise<{ readonly events: readonly Published[] }> {
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]));
    const published = await this.#events.receive({ source: assertName('source', source), headers, body: bodyOf(request) }, traceOf(request));
    return { events: published ? [published] : [] };
  }
}

const bodyOf = ({ body }: FastifyRequest): Buffer => {
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (!Buffer.isBuffer(body)) throw new PerdureError('internal', 'A webhook came without its raw body.');
  return body;
};

const readEvents = (request: FastifyRequest): CloudEvent[] => {
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('application/cloudevents-batch+json')) return check(batch, request.body) as CloudEvent[];
  if (request.headers['ce-specversion'] !== undefined) return [check(cloudEvent, binaryEvent(request)) as CloudEvent];
  if (type.startsWith('application/cloudevents+json')) return [check(cloudEvent, request.body) as CloudEvent];
  // Plain JSON is taken for what it looks like, since many senders do not set the media type.
  return (Array.isArray(request.body) ? check(batch, request.body) : [check(cloudEvent, request.body)]) as CloudEvent[];
};

/** Attributes in `ce-` headers (percent-encoded UTF-8), data in the body. */
const binaryEvent = (request: FastifyRequest): Record<string, unknown> => {
  const attributes = Object.entries(request.headers).flatMap(([name, value]) => (name.startsWith('ce-') ? [[name.slice('ce-'.length), decode(String(value))] as const] : []));
  return { ...Object.fromEntries(attributes), ...(request.body === undefined ? {} : { data: request.body }) };
};

const decode = (value: string): string => {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new PerdureError('invalid-request', 'A ce- header is not percent-encoded UTF-8.');
  }
};
