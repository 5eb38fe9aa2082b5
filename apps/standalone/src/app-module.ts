import { Module, type DynamicModule } from '@nestjs/common';
import type { Clock } from '@perdure/clock';
import { CompensationModule } from '@perdure/compensation-feature';
import { EventTypes, WebhookSources } from '@perdure/correlation';
import { CorrelationModule } from '@perdure/correlation-feature';
import { ShardGateway } from '@perdure/embedded';
import { IngestionModule } from '@perdure/ingestion-feature';
import { SchedulerModule } from '@perdure/scheduler-feature';
import { SqliteAuditLog, SqliteRunReader, SqliteWaitReader, type MetaFile } from '@perdure/sqlite';
import type { DatabaseSync } from 'node:sqlite';
import { ConfiguredTranslator, MetaBundles, ShardDesk, ShardEvents, ShardLog, ShardOutcomes, ShardQueries, ShardRuns } from './adapters.js';
import type { Config } from './config.js';
import { OpenApiController } from './openapi-controller.js';
import { OperationsController, Readiness } from './operations-controller.js';
import { ServerMetrics } from './telemetry/server-metrics.js';

export interface Parts {
  readonly config: Config;
  readonly clock: Clock;
  readonly shard: ShardGateway;
  readonly meta: MetaFile;
  readonly committed: DatabaseSync;
  readonly readiness: Readiness;
  readonly metrics: ServerMetrics;
}

/** The services' features over the embedded shard. */
@Module({})
export class AppModule {
  static register({ config, clock, shard, meta, committed, readiness, metrics }: Parts): DynamicModule {
    const deps = { reader: new SqliteRunReader(committed), shard, clock };
    return {
      module: AppModule,
      imports: [
        IngestionModule.register({
          log: () => new ShardLog(shard),
          outcomes: () => new ShardOutcomes(deps),
          runs: () => new ShardRuns(deps),
          queries: () => new ShardQueries(shard),
          bundles: () => new MetaBundles(meta, deps),
          events: () => new ShardEvents(shard),
          translator: () => new ConfiguredTranslator(new EventTypes(config.eventTypes), new WebhookSources(config.webhooks), clock),
          clock: () => clock,
        }),
        SchedulerModule.register({ desk: () => new ShardDesk(shard) }),
        CorrelationModule.register({ waits: () => new SqliteWaitReader(committed) }),
        CompensationModule.register({ audit: () => new SqliteAuditLog(committed) }),
      ],
      controllers: [OpenApiController, OperationsController],
      providers: [
        { provide: ShardGateway, useValue: shard },
        { provide: Readiness, useValue: readiness },
        { provide: ServerMetrics, useValue: metrics },
      ],
    };
  }
}
