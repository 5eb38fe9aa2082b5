import { z } from 'zod';

/** OpenTelemetry takes an empty variable for one that is not set. */
const unset = (value: unknown): unknown => (value === '' ? undefined : value);
const optional = <S extends z.ZodType>(schema: S) => z.preprocess(unset, schema.optional());
const milliseconds = optional(z.coerce.number().int().positive());
const count = optional(z.coerce.number().int().positive());
const protocol = optional(z.enum(['http/protobuf', 'http/json']));

const pairs = (text: string, context: z.RefinementCtx): Record<string, string> => {
  const entries = text.split(',').filter((pair) => pair.trim() !== '').map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) context.addIssue({ code: 'custom', message: 'expected key=value,key=value' });
    return [pair.slice(0, at).trim(), decode(pair.slice(at + 1).trim())] as const;
  });
  return Object.fromEntries(entries);
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const list = z.preprocess(unset, z.string().default('').transform(pairs));

const SAMPLERS = ['always_on', 'always_off', 'traceidratio', 'parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const;

/** The standard variables of OpenTelemetry that this server heeds. */
export const TRACE_VARIABLES = {
  OTEL_SDK_DISABLED: optional(z.enum(['true', 'false'])),
  OTEL_TRACES_EXPORTER: optional(z.enum(['otlp', 'none'])),
  OTEL_SERVICE_NAME: optional(z.string()),
  OTEL_RESOURCE_ATTRIBUTES: list,
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(z.url({ protocol: /^https?$/ })),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: optional(z.url({ protocol: /^https?$/ })),
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol,
  OTEL_EXPORTER_OTLP_HEADERS: list,
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: list,
  OTEL_EXPORTER_OTLP_TIMEOUT: milliseconds,
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: milliseconds,
  OTEL_TRACES_SAMPLER: optional(z.enum(SAMPLERS)),
  OTEL_TRACES_SAMPLER_ARG: optional(z.coerce.number().min(0).max(1)),
  OTEL_BSP_SCHEDULE_DELAY: milliseconds,
  OTEL_BSP_MAX_QUEUE_SIZE: count,
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: count,
} as const;

type TraceVariables = z.output<z.ZodObject<typeof TRACE_VARIABLES>>;

export interface TraceConfig {
  readonly url: string;
  readonly protocol: 'http/protobuf' | 'http/json';
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: (typeof SAMPLERS)[number];
  /** Of the traces that begin here, for the samplers by ratio. */
  readonly ratio: number;
  readonly delayMs: number;
  readonly queueMax: number;
  readonly batchMax: number;
}

/**
 * `undefined`: traces are off, as they are unless an endpoint is named. What is said of traces goes before what is said of all signals.
 * `service`: who sends, where the environment does not say it.
 */
export const toTraceConfig = (env: TraceVariables, { service }: { readonly service: string }): TraceConfig | undefined => {
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const url = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (base === undefined ? undefined : `${base.replace(/\/$/, '')}/v1/traces`);
  if (url === undefined || env.OTEL_SDK_DISABLED === 'true' || env.OTEL_TRACES_EXPORTER === 'none') return undefined;
  return {
    url,
    protocol: env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL ?? 'http/protobuf',
    headers: { ...env.OTEL_EXPORTER_OTLP_HEADERS, ...env.OTEL_EXPORTER_OTLP_TRACES_HEADERS },
    timeoutMs: env.OTEL_EXPORTER_OTLP_TRACES_TIMEOUT ?? env.OTEL_EXPORTER_OTLP_TIMEOUT ?? 10_000,
    resource: { ...env.OTEL_RESOURCE_ATTRIBUTES, 'service.name': env.OTEL_SERVICE_NAME ?? env.OTEL_RESOURCE_ATTRIBUTES['service.name'] ?? service },
    sampler: env.OTEL_TRACES_SAMPLER ?? 'parentbased_always_on',
    ratio: env.OTEL_TRACES_SAMPLER_ARG ?? 1,
    delayMs: env.OTEL_BSP_SCHEDULE_DELAY ?? 5_000,
    queueMax: env.OTEL_BSP_MAX_QUEUE_SIZE ?? 2_048,
    batchMax: env.OTEL_BSP_MAX_EXPORT_BATCH_SIZE ?? 512,
  };
};
