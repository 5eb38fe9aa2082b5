import { Module, type DynamicModule } from '@nestjs/common';
import type { Clock } from '@perdure/clock';
import { BundleRegistry, Events, Workflows, RunReader, type EventLog, type EventTranslator, type Log, type Outcomes, type Queries } from '@perdure/ingestion';
import { BundlesController } from './bundles-controller.js';
import { EventsController } from './events-controller.js';
import { MessagesController } from './messages-controller.js';
import { WorkflowsController } from './workflows-controller.js';

export interface IngestionAdapters {
  readonly log: () => Log;
  readonly outcomes: () => Outcomes;
  readonly runs: () => RunReader;
  readonly queries: () => Queries;
  readonly bundles: () => BundleRegistry;
  readonly events: () => EventLog;
  readonly translator: () => EventTranslator;
  readonly clock: () => Clock;
}

/** The public API over the adapters the app chose. */
@Module({})
export class IngestionModule {
  static register(adapters: IngestionAdapters): DynamicModule {
    return {
      module: IngestionModule,
      controllers: [MessagesController, WorkflowsController, EventsController, BundlesController],
      providers: [
        { provide: RunReader, useFactory: adapters.runs },
        { provide: BundleRegistry, useFactory: adapters.bundles },
        { provide: Events, useFactory: () => new Events(adapters.events(), adapters.translator()) },
        {
          provide: Workflows,
          inject: [RunReader, BundleRegistry],
          useFactory: (runs: RunReader, bundles: BundleRegistry) => new Workflows({ runs, bundles, log: adapters.log(), outcomes: adapters.outcomes(), queries: adapters.queries(), clock: adapters.clock() }),
        },
      ],
    };
  }
}
