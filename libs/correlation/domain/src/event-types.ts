import { PerdureError, type ExternalEvent, type Json, type Scalar } from '@perdure/contract';
import { z } from 'zod';
import { compile } from './jmespath.js';

const expression = z.string().superRefine((text, context) => {
  try {
    compile(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: `not a JMESPath expression: ${(error as Error).message}` });
  }
});

/** How an event type's keys are drawn: key name → JMESPath over the whole CloudEvent (`data.order.id`, `subject`). */
export const eventTypeDeclaration = z.strictObject({ keys: z.record(z.string(), expression) });
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

const isScalar = (value: unknown): value is Scalar => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** Draws keys by their expressions; one that yields nothing, or no scalar, is left out. */
export const drawKeys = (keys: Readonly<Record<string, string>>, from: unknown): Record<string, Scalar> => {
  const drawn: Record<string, Scalar> = {};
  for (const [name, text] of Object.entries(keys)) {
    const value = compile(text)(from);
    if (isScalar(value)) drawn[name] = value;
  }
  return drawn;
};

/** A type that nobody declared has as keys its `subject` and whatever scalars stand at the top of its data. */
const plainKeys = ({ subject, data }: IncomingEvent): Record<string, Scalar> => {
  const fields = typeof data === 'object' && data !== null && !Array.isArray(data) ? Object.entries(data).filter((entry): entry is [string, Scalar] => isScalar(entry[1])) : [];
  return { ...Object.fromEntries(fields), ...(subject === undefined ? {} : { subject }) };
};

export class EventTypes {
  readonly #declared: Readonly<Record<string, EventTypeDeclaration>>;

  constructor(declared: Readonly<Record<string, EventTypeDeclaration>> = {}) {
    this.#declared = declared;
  }

  toExternalEvent(tenant: string, event: IncomingEvent, nowMs: number): ExternalEvent {
    const declaration = Object.hasOwn(this.#declared, event.type) ? this.#declared[event.type] : undefined;
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
}
