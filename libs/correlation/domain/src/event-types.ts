import { PerdureError, type ExternalEvent, type Json, type WaitSpec } from '@perdure/contract';
import { z } from 'zod';
import { drawKeys, plainKeys } from './event-keys.js';
import { expression } from './jmespath.js';

/**
 * What is declared of an event type.
 * - `keys`: how its keys are drawn; name → JMESPath over the whole CloudEvent (`data.order.id`, `subject`)
 * - `routingKey`: the key that every wait on the type gives, so that one slice has an event and all waits for it (design §12)
 */
export const eventTypeDeclaration = z
  .strictObject({ keys: z.record(z.string(), expression), routingKey: z.string().optional() })
  .refine(({ keys, routingKey }) => routingKey === undefined || Object.hasOwn(keys, routingKey), { path: ['routingKey'], message: 'is none of the keys' });
export type EventTypeDeclaration = z.output<typeof eventTypeDeclaration>;

/** The part of a CloudEvent that this module reads. */
export interface IncomingEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time?: string;
  readonly data?: Json;
  readonly [attribute: string]: Json | undefined;
}

/** The declared event types; any other type needs no declaration, and has plain keys and no routing key. */
export class EventTypes {
  readonly #declared: ReadonlyMap<string, EventTypeDeclaration>;

  constructor(declared: Readonly<Record<string, EventTypeDeclaration>> = {}) {
    this.#declared = new Map(Object.entries(declared));
  }

  /** @throws PerdureError `invalid-request`, `limit-exceeded` */
  toExternalEvent(tenant: string, event: IncomingEvent, nowMs: number): ExternalEvent {
    const declaration = this.#declared.get(event.type);
    const time = event.time === undefined ? nowMs : Date.parse(event.time);
    if (Number.isNaN(time)) throw new PerdureError('invalid-request', `time "${event.time}" is not RFC 3339.`);
    const { id, source, type, subject, data } = event;
    return {
      tenant,
      source,
      id,
      type,
      time,
      keys: declaration ? drawKeys(declaration.keys, event) : plainKeys(event),
      ...(subject === undefined ? {} : { subject }),
      ...(data === undefined ? {} : { data }),
    };
  }

  /** The slice that an event goes to, as a string to hash. One without the routing key goes where no wait that gives it looks. */
  sliceOfEvent({ tenant, type, keys }: ExternalEvent): string {
    return this.#slice(tenant, type, keys);
  }

  /** The slice that has the events for a wait. */
  sliceOfWait(tenant: string, { type, match }: WaitSpec): string {
    return this.#slice(tenant, type, match);
  }

  #slice(tenant: string, type: string, keys: ExternalEvent['keys']): string {
    const routingKey = this.#declared.get(type)?.routingKey;
    const value = routingKey === undefined ? undefined : keys[routingKey];
    return JSON.stringify(value === undefined ? [tenant, type] : [tenant, type, value]);
  }
}
