import { Module, type DynamicModule } from '@nestjs/common';
import { CockroachAuditLog, CockroachBundles, CockroachCorrelationStore, CockroachRunReader, CockroachTaskReader, CockroachWaitReader } from '@perdure/cockroach';
import { CompensationModule } from '@perdure/compensation-feature';
import { WebhookSources } from '@perdure/correlation';
import { CorrelationModule } from '@perdure/correlation-feature';
import type { SliceName } from '@perdure/delivery';
import { ConfiguredTranslator, type InspectedBundle } from '@perdure/hosting';
import { IngestionModule, OpenApiController } from '@perdure/ingestion-feature';
import { HintBoard, MeshEventLog, MeshLog, MeshOutcomes, MeshQueries, MeshRuns, NodeHealth, Placement, ProbesController, RemoteDesk, SliceAsks, type MeshParts } from '@perdure/mesh';
import { DeskRelay } from '@perdure/scheduler';
import { SchedulerModule } from '@perdure/scheduler-feature';
import { ServerMetrics } from '@perdure/telemetry';
import { HintsController } from './hints-controller.js';

/** Evaluated where the sandboxes are. */
const INSPECTOR: SliceName = 'history/0';

/** The public API: what it appends goes to the logs, what it reads is committed, what only an owner knows it asks the owner. */
@Module({})
export class AppModule {
  static register({ config, clock, random, pool, logs, map, sidecar, calls, membership, eventTypes, metrics, tracing }: MeshParts, health: NodeHealth): DynamicModule {
    const asks = new SliceAsks({ sidecar, calls, placement: new Placement({ slices: map.slices, membership }), clock, random });
    const board = new HintBoard(tracing?.requests);
    const reader = new CockroachRunReader(pool, map);
    const deps = { reader, board, clock };
    const inspect = (code: string): Promise<InspectedBundle> => asks.ask(INSPECTOR, { operation: 'inspect', body: { code } });
    const desks = Array.from({ length: config.counts.scheduler }, (_, index) => new RemoteDesk(asks, `scheduler/${index}`));
    return {
      module: AppModule,
      imports: [
        IngestionModule.register({
          log: () => new MeshLog(logs, map),
          outcomes: () => new MeshOutcomes(deps),
          runs: () => new MeshRuns(deps),
          queries: () => new MeshQueries(asks, map),
          bundles: () => new CockroachBundles(pool, { inspect, clock, reader }),
          events: () => new MeshEventLog({ logs, map, clock, isKnown: (event) => new CockroachCorrelationStore(pool, map.sliceOfEvent(event)).events.isKnown(event) }),
          translator: () => new ConfiguredTranslator(eventTypes, new WebhookSources(config.webhooks), clock),
          clock: () => clock,
        }),
        SchedulerModule.register({ desk: () => (desks.length === 1 ? desks[0]! : new DeskRelay({ desks })), tasks: () => new CockroachTaskReader(pool, map) }),
        CorrelationModule.register({ waits: () => new CockroachWaitReader(pool) }),
        CompensationModule.register({ audit: () => new CockroachAuditLog(pool) }),
      ],
      controllers: [HintsController, OpenApiController, ProbesController],
      providers: [{ provide: HintBoard, useValue: board }, { provide: NodeHealth, useValue: health }, { provide: ServerMetrics, useValue: metrics }],
    };
  }
}
