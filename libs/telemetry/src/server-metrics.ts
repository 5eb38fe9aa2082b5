import type { MetricJson } from '@perdure/hosting';
import { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The boundaries that OpenTelemetry advises for HTTP, seconds. */
const HTTP_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** What `/metrics` shows: the process, its requests, and what its shards count. Labels are bounded: routes, not URLs. */
export class ServerMetrics {
  readonly registry = new Registry();
  readonly #duration: Histogram;
  readonly #calls: Counter;
  active = 0;

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#duration = new Histogram({
      name: 'http_server_request_duration_seconds',
      help: 'Requests, from their arrival to the end of their answer. 499: the client left before it',
      labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
      buckets: HTTP_SECONDS,
      registers,
    });
    this.#calls = new Counter({ name: 'perdure_worker_calls_total', help: "Calls of workers over their sockets, by what a request's answer would be", labelNames: ['call', 'http_response_status_code'], registers });
    const active = (): number => this.active;
    new Gauge({
      name: 'http_server_active_requests',
      help: 'Requests that are not answered, long polls included',
      registers,
      collect() {
        this.set(active());
      },
    });
  }

  answered(labels: { readonly method: string; readonly route: string; readonly status: number }, tookMs: number): void {
    this.#duration.observe({ http_request_method: labels.method, http_route: labels.route, http_response_status_code: labels.status }, tookMs / 1000);
  }

  called(call: string, status: number): void {
    this.#calls.inc({ call, http_response_status_code: status });
  }

  /** In Prometheus' text format, with the sum of what each shard gave. */
  async text(shards: readonly (readonly MetricJson[])[]): Promise<string> {
    const ours = await this.registry.metrics();
    return `${ours}\n${await AggregatorRegistry.aggregate(shards as unknown as object[][] as never).metrics()}`;
  }
}
