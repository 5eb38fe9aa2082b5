import type { Json, Scalar } from './json.js';

/** An external event (a CloudEvent, or a webhook turned into one) with the keys drawn from it. */
export interface ExternalEvent {
  readonly tenant: string;
  /** `(tenant, source, id)` is its identity: a second one is dropped for 7 days. */
  readonly source: string;
  readonly id: string;
  readonly type: string;
  /** When it happened, epoch milliseconds; the sender's word. */
  readonly time: number;
  readonly subject?: string;
  readonly keys: Readonly<Record<string, Scalar>>;
  readonly data?: Json;
  /** W3C traceparent of who sent it. The input that offers it carries it; runs do not see it. */
  readonly trace?: string;
}

/** A run's standing request for an external event. All given keys must be equal. */
export interface WaitSpec {
  readonly type: string;
  readonly match: Readonly<Record<string, Scalar>>;
  /** A JMESPath expression over the event's `data`; the event matches when it yields a truthy value. */
  readonly filter?: string;
  /** Only events that arrived at or after this time (epoch milliseconds). Absent: however old. */
  readonly sinceMs?: number;
}
