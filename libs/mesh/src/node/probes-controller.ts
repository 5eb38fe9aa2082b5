import { Controller, Get, Header, Inject } from '@nestjs/common';
import { PerdureError } from '@perdure/contract';
import { ServerMetrics } from '@perdure/telemetry';
import { Gauge } from 'prom-client';

/** What a node says of itself. */
export abstract class NodeHealth {
  /** Set when it goes. */
  isDraining = false;
  /** Whether it has joined the others. */
  hasJoined = false;
  /** Why it is not ready, if it is not. */
  abstract unready(): Promise<string | undefined>;
  /** Slices it owns now. */
  abstract owned(): number;
  /** What its slices count, in Prometheus' text format. */
  async figures(): Promise<string> {
    return '';
  }
}

/** Probes and figures, for whoever runs the node. */
@Controller()
export class ProbesController {
  readonly #health: NodeHealth;
  readonly #metrics: ServerMetrics;

  constructor(@Inject(NodeHealth) health: NodeHealth, @Inject(ServerMetrics) metrics: ServerMetrics) {
    this.#health = health;
    this.#metrics = metrics;
    new Gauge({
      name: 'perdure_slices_owned', help: 'Slices whose owner this node is', registers: [metrics.registry],
      collect() {
        this.set(health.owned());
      },
    });
  }

  @Get('healthz')
  health(): { readonly status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  async ready(): Promise<{ readonly status: 'ready'; readonly owned: number }> {
    if (this.#health.isDraining) throw new PerdureError('draining', 'The node is going.');
    const why = this.#health.hasJoined ? await this.#health.unready() : 'it has not joined the others yet';
    if (why !== undefined) throw new PerdureError('unavailable', `The node is not ready: ${why}.`);
    return { status: 'ready', owned: this.#health.owned() };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  async metrics(): Promise<string> {
    return `${await this.#metrics.registry.metrics()}\n${await this.#health.figures()}`;
  }
}
