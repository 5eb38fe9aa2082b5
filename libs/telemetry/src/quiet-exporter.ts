import type { Clock } from '@perdure/clock';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

/** The ways of a collector that is away are told so often, milliseconds. */
const WARN_EVERY_MS = 60_000;

export interface QuietExporterOptions {
  readonly exporter: SpanExporter;
  readonly clock: Clock;
  readonly warn: (fields: object, message: string) => void;
}

/** A collector that cannot be reached costs its spans and a line in the log now and then; nobody else hears of it. */
export class QuietExporter implements SpanExporter {
  readonly #options: QuietExporterOptions;
  #lost = 0;
  #warnedMs = -Infinity;

  constructor(options: QuietExporterOptions) {
    this.#options = options;
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.#options.exporter.export(spans, (result) => {
      if (result.code !== 0) this.lost(spans.length, result.error?.message ?? 'no reason given');
      done({ code: 0 });
    });
  }

  /** Also told of spans that found the queue full. */
  lost(count: number, why: string): void {
    this.#lost += count;
    const now = this.#options.clock.now();
    if (now - this.#warnedMs < WARN_EVERY_MS) return;
    this.#warnedMs = now;
    this.#options.warn({ spansLost: this.#lost, why }, 'traces could not be exported');
  }

  shutdown(): Promise<void> {
    return this.#options.exporter.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.#options.exporter.forceFlush?.();
  }
}
