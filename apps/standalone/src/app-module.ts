import { Module, type DynamicModule } from '@nestjs/common';
import type { Clock } from '@perdure/clock';
import { CompensationModule } from '@perdure/compensation-feature';
import { type EventTypes, WebhookSources } from '@perdure/correlation';
import { CorrelationModule } from '@perdure/correlation-feature';
import { ShardDesk, ShardGateway, type ShardMap } from '@perdure/embedded';
import { ConfiguredTranslator } from '@perdure/hosting';
import { IngestionModule, OpenApiController } from '@perdure/ingestion-feature';
import { SchedulerModule } from '@perdure/scheduler-feature';
import { ShardedAuditLog, ShardedRunReader, ShardedTaskReader, ShardedWaitReader, SqliteAuditLog, SqliteBundles, SqliteRunReader, SqliteTaskReader, SqliteWaitReader, type MetaFile } from '@perdure/sqlite';
import { ServerMetrics } from '@perdure/telemetry';
import type { DatabaseSync } from 'node:sqlite';
import { ShardEvents, ShardLog, ShardOutcomes, ShardQueries, ShardRuns } from './adapters.js';
import type { Config } from './config.js';
import { OperationsController, Readiness } from './operations-controller.js';

export interface Parts {
  readonly config: Config;
  readonly clock: Clock;
  readonly shard: ShardGateway;
  readonly meta: MetaFile;
  readonly map: ShardMap;
  readonly eventTypes: EventTypes;
  /** A connection to each shard's file, in order. */
  readonly committed: readonly DatabaseSync[];
  readonly readiness: Readiness;
  readonly metrics: ServerMetrics;
}

/** The services' features over the embedded shard. */
@Module({})
export class AppModule {
  static register({ config, clock, shard, meta, map, eventTypes, committed, readiness, metrics }: Parts): DynamicModule {
    const shardOf = (tenant: string, workflowId: string): number => map.shardOf(tenant, workflowId);
    const reader = new ShardedRunReader(committed.map((db) => new SqliteRunReader(db)), shardOf);
    const deps = { reader, shard, clock };
    return {
      module: AppModule,
      imports: [
        IngestionModule.register({
          log: () => new ShardLog(shard),
          outcomes: () => new ShardOutcomes(deps),
          runs: () => new ShardRuns(deps),
          queries: () => new ShardQueries(shard),
          bundles: () => new SqliteBundles({ meta, reader, clock, inspect: (code) => shard.inspect(code), forget: (tenant, hash) => shard.forgetBundle(tenant, hash) }),
          events: () => new ShardEvents(shard),
          translator: () => new ConfiguredTranslator(eventTypes, new WebhookSources(config.webhooks), clock),
          clock: () => clock,
        }),
        SchedulerModule.register({ desk: () => new ShardDesk(shard), tasks: () => new ShardedTaskReader(committed.map((db) => new SqliteTaskReader(db)), shardOf) }),
        CorrelationModule.register({ waits: () => new ShardedWaitReader(committed.map((db) => new SqliteWaitReader(db))) }),
        CompensationModule.register({ audit: () => new ShardedAuditLog(committed.map((db) => new SqliteAuditLog(db))) }),
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
