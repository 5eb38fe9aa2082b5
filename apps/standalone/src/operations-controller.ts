import { Controller, Get, Header, Inject } from '@nestjs/common';
import { PerdureError } from '@perdure/contract';
import { ShardGateway } from '@perdure/embedded';
import { BatchMetrics } from '@perdure/hosting';
import { ServerMetrics } from '@perdure/telemetry';

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
  readonly #batches: BatchMetrics;
  #last = { batches: 0, inputs: 0, commitFailures: 0 };

  constructor(@Inject(ShardGateway) shard: ShardGateway, @Inject(Readiness) readiness: Readiness, @Inject(ServerMetrics) metrics: ServerMetrics) {
    this.#shard = shard;
    this.#readiness = readiness;
    this.#metrics = metrics;
    this.#batches = new BatchMetrics(metrics.registry);
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
    const last = this.#last;
    this.#batches.add({ batches: figures.batches - last.batches, inputs: figures.inputs - last.inputs, commitFailures: figures.commitFailures - last.commitFailures });
    this.#last = figures;
    this.#batches.set(figures);
    return this.#metrics.text(shards);
  }
}
