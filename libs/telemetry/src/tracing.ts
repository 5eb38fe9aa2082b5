import { context, diag, DiagLogLevel, trace, type DiagLogger } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOffSampler, AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider, type Sampler, type SpanExporter } from '@opentelemetry/sdk-trace';
import type { Clock } from '@perdure/clock';
import type { Logger } from 'pino';
import { QuietExporter } from './quiet-exporter.js';
import type { RequestRoots } from './request-roots.js';
import { RequestSpans } from './request-spans.js';
import { ShardSpans } from './shard-spans.js';
import { DecidedIds, SpanWriter } from './span-writer.js';
import type { TraceConfig } from './trace-config.js';

export interface Tracing {
  readonly requests: RequestSpans;
  /** `roots`: where the requests are that their inputs came by. Default: in this process. */
  shards(roots?: RequestRoots): ShardSpans;
  /** Sends what is left. Never rejects, and waits for a collector that is away no longer than `FLUSH_MS`. */
  stop(): Promise<void>;
}

/** The server's end waits so long for its last spans to go, milliseconds. */
const FLUSH_MS = 5_000;

export interface TracingDeps {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Of the resource, where the environment does not say it. */
  readonly resource?: Readonly<Record<string, string>>;
  /** See `RequestSpans`. */
  readonly patienceMs?: number;
}

/** Loads with it all of the SDK: see `startTracing`. */
export const openTracing = async (config: TraceConfig, { logger, clock, resource, patienceMs = 0 }: TracingDeps): Promise<Tracing> => {
  const exporter = new QuietExporter({ exporter: await createExporter(config), clock, warn: (fields, message) => logger.warn(fields, message) });
  diag.setLogger(toDiagLogger(exporter), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const ids = new DecidedIds();
  const sampler = createSampler(config);
  const provider = new TracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ ...resource, ...config.resource })),
    sampler,
    idGenerator: ids,
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: config.delayMs, maxQueueSize: config.queueMax, maxExportBatchSize: Math.min(config.batchMax, config.queueMax), exportTimeoutMillis: config.timeoutMs })],
  });
  // Activities that run in this process trace by the API: theirs go the same way.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  const writer = new SpanWriter({ tracer: provider.getTracer('perdure'), ids, sampler });
  const requests = new RequestSpans({ writer, clock, patienceMs });
  return {
    requests,
    shards: (roots = requests) => new ShardSpans(writer, roots),
    stop: () => {
      requests.stop();
      return within(FLUSH_MS, { work: provider.shutdown(), clock, failed: (why) => exporter.lost(0, why) });
    },
  };
};

const createExporter = async ({ protocol, url, headers, timeoutMs }: TraceConfig): Promise<SpanExporter> => {
  const { OTLPTraceExporter } = protocol === 'http/json' ? await import('@opentelemetry/exporter-trace-otlp-http') : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: timeoutMs });
};

const createSampler = ({ sampler, ratio }: TraceConfig): Sampler => {
  const [, parentBased, kind] = /^(parentbased_)?(.*)$/.exec(sampler)!;
  const root = kind === 'always_off' ? new AlwaysOffSampler() : kind === 'traceidratio' ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler();
  return parentBased ? new ParentBasedSampler({ root }) : root;
};

/** The SDK's warnings are of spans that are lost, the queue being full. */
const toDiagLogger = (exporter: QuietExporter): DiagLogger => {
  const lost = (message: string): void => exporter.lost(Number(/Dropped (\d+) spans/.exec(message)?.[1] ?? 0), message);
  const nothing = (): void => undefined;
  return { error: lost, warn: lost, info: nothing, debug: nothing, verbose: nothing };
};

const within = (ms: number, { work, clock, failed }: { readonly work: Promise<void>; readonly clock: Clock; readonly failed: (why: string) => void }): Promise<void> =>
  new Promise((resolve) => {
    const cancel = clock.at(clock.now() + ms, resolve);
    work.catch((error: unknown) => failed(String(error))).finally(() => {
      cancel();
      resolve();
    });
  });
