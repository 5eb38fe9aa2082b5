/** W3C Trace Context: what a `traceparent` names. */
export interface TraceContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  /** Whoever started the trace wants it recorded; all of its spans hold to that. */
  readonly sampled: boolean;
}

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

export const isTraceparent = (text: string): boolean => TRACEPARENT.test(text);

/** The last digit holds the flag; asked for on hot paths, where parsing the rest would be a waste. */
export const isSampled = (traceparent: string | undefined): traceparent is string => traceparent !== undefined && (Number.parseInt(traceparent.slice(-1), 16) & 1) === 1;

export const parseTraceparent = (text: string | undefined): TraceContext | undefined =>
  text !== undefined && isTraceparent(text) ? { traceId: text.slice(3, 35), spanId: text.slice(36, 52), sampled: isSampled(text) } : undefined;

export const toTraceparent = ({ traceId, spanId, sampled }: TraceContext): string => `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
