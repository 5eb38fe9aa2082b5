import { Controller, Get, Header, Inject } from '@nestjs/common';
import { PerdureError } from '@perdure/contract';
import { ShardGateway } from '@perdure/embedded';
import { ServerMetrics } from '@perdure/telemetry';
import { Counter, Gauge } from 'prom-client';

/** Whether the server takes requests. */
export class Readiness {
  draining = false;
}

/** Probes and figures, for whoever runs the server. */
@Controller()
export class OperationsController {
  readonly #shard: ShardGateway;
  readonly #readiness: Readiness;
  readonly #metrics: ServerMetrics;
  readonly #counters;
  readonly #gauges;
  #last = { batches: 0, inputs: 0, commitFailures: 0 };

  constructor(@Inject(ShardGateway) shard: ShardGateway, @Inject(Readiness) readiness: Readiness, @Inject(ServerMetrics) metrics: ServerMetrics) {
    this.#shard = shard;
    this.#readiness = readiness;
    this.#metrics = metrics;
    const registers = [metrics.registry];
    const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
    this.#counters = {
      batches: counter('perdure_shard_batches_total', 'Batches committed'),
      inputs: counter('perdure_shard_inputs_total', 'Inputs processed'),
      commitFailures: counter('perdure_shard_commit_failures_total', 'Batches taken back'),
    };
    this.#gauges = { liveRealms: new Gauge({ name: 'perdure_realms_live', help: 'Live realms', registers }), queued: new Gauge({ name: 'perdure_shard_queue_length', help: 'Inputs that wait for the shard', registers }) };
  }

  @Get('healthz')
  health(): { readonly status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  async ready(): Promise<{ readonly status: 'ready' }> {
    if (this.#readiness.draining) throw new PerdureError('draining', 'The server is shutting down.');
    await this.#shard.figures();
    return { status: 'ready' };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  async metrics(): Promise<string> {
    const [figures, shards] = await Promise.all([this.#shard.figures(), this.#shard.metrics()]);
    for (const name of ['batches', 'inputs', 'commitFailures'] as const) this.#counters[name].inc(figures[name] - this.#last[name]);
    this.#last = figures;
    this.#gauges.liveRealms.set(figures.liveRealms);
    this.#gauges.queued.set(figures.queued);
    return this.#metrics.text(shards);
  }
}
