import { Module, type DynamicModule } from '@nestjs/common';
import { DAPR_LIMITS } from '@perdure/dapr';
import { OneAtATime, serviceOf, SliceOwner, type SliceMachine, type SliceName } from '@perdure/delivery';
import { BatchMetrics, NO_LEVELS, ShardMetrics, ShardObserver, Sweeper } from '@perdure/hosting';
import { createHttpApp, type SocketCall } from '@perdure/http';
import { observeHttp, observeSocketCall, requestFields, ServerMetrics } from '@perdure/telemetry';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { startArchiving } from '../archive/start-archiving.js';
import { MESH_LIMITS } from '../mesh-limits.js';
import { countedBatches, waitingIn } from './counted-batches.js';
import { DeliveryDoor } from './delivery-door.js';
import { InternalController, OwnService, sliceNaming } from './internal-controller.js';
import type { MeshParts } from './mesh-parts.js';
import { NodeAuthenticator } from './node-authenticator.js';
import { NodeHealth, ProbesController } from './probes-controller.js';
import { Seat } from './seat.js';
import { SliceHost } from './slice-host.js';
import { SliceOperations } from './slice-operations.js';
import type { SliceService } from './slice-service.js';
import { TimedSliceStore } from './timed-slice-store.js';

/** What a started node can be told. */
export interface MeshServer {
  readonly url: string;
  /** Lets go of what it owns, answers what is in flight, says goodbye. */
  close(): Promise<void>;
}

interface NodeModuleOptions {
  readonly health: NodeHealth;
  readonly metrics: ServerMetrics;
  readonly door: DeliveryDoor;
  readonly operations: object;
  readonly service: OwnService;
}

/** The routes of a node that owns slices. */
@Module({})
class SliceNodeModule {
  static register({ health, metrics, door, operations, service }: NodeModuleOptions): DynamicModule {
    return {
      module: SliceNodeModule,
      controllers: [InternalController, ProbesController],
      providers: [
        { provide: NodeHealth, useValue: health },
        { provide: ServerMetrics, useValue: metrics },
        { provide: DeliveryDoor, useValue: door },
        { provide: SliceOperations, useValue: operations },
        { provide: OwnService, useValue: service },
      ],
    };
  }
}

/** The options of `createHttpApp` that every node has. */
export const nodeHttpOptions = ({ config, logger, clock, metrics, tracing }: Pick<MeshParts, 'config' | 'logger' | 'clock' | 'metrics' | 'tracing'>) => ({
  bodyBytesMaxByPrefix: { '/internal/': DAPR_LIMITS.bodyBytesMax },
  jsonDepthMoreByPrefix: { '/internal/': MESH_LIMITS.internalJsonDepthMore },
  onInternal: (error: Error, request?: FastifyRequest) => logger.error({ err: error.cause ?? error, ...(request && requestFields(request)) }, 'a request met an error'),
  onSocketCall: (call: SocketCall) => observeSocketCall({ metrics, logger }, call),
  observe: (instance: FastifyInstance) => observeHttp(instance, { metrics, logger, clock, slowMs: config.slowRequestMs, unlogged: '/internal/', ...(tracing ? { spans: tracing.requests } : {}) }),
});

/** Serves, joins the others, and owns the slices that fall to it. */
export const startSliceNode = async <Rows, M extends SliceMachine<Rows>>(parts: MeshParts, service: SliceService<Rows, M>): Promise<MeshServer> => {
  const { config, self, clock, random, logger, membership, sidecar, logs, bus, map, calls, tracing } = parts;
  const metrics = new ShardMetrics();
  const batches = new BatchMetrics();
  const spans = tracing?.shards(service.requests);
  const suspects = new OneAtATime();
  const slices = map.slices.filter((slice) => serviceOf(slice) === self.service);
  const open = (slice: SliceName, events: NonNullable<Parameters<typeof SliceOwner.open>[0]['events']>): Promise<SliceOwner<Rows, M>> => {
    // Spans are made once the slice has gone on.
    const observer = new ShardObserver({ clock, metrics, ...(spans ? { report: (report) => void setImmediate(() => spans.record(report)) } : {}) });
    return SliceOwner.open<Rows, M>({
      slice, store: new TimedSliceStore(service.store(slice), (tookMs) => observer.wrote(tookMs)), ...(service.hasLog ? { log: logs.of(slice) } : {}), logs, bus, clock, random, events, suspects, batches: countedBatches(observer, batches),
      machine: (context) => service.machine(slice, { ...context, observer }),
      defer: (run) => void setImmediate(run),
    });
  };
  const host = new SliceHost<Rows, M>({ self, slices, membership, open, clock, random, logger });
  const seat = new Seat({ self, membership, hasSidecar: () => sidecar.answers(), clock, logger });
  const health = new (class extends NodeHealth {
    override async unready(): Promise<string | undefined> {
      if (health.hasJoined && !seat.isTaken) return 'its sidecar is gone';
      const { missing } = host;
      return missing.length === 0 ? undefined : `it is to own ${missing.map(({ slice, why }) => (why === undefined ? slice : `${slice} (${why})`)).join(', ')}`;
    }
    override owned(): number {
      return host.owners.length;
    }
    override async figures(): Promise<string> {
      const { owners } = host;
      batches.set({ queued: await waitingIn(owners), liveRealms: service.liveRealms?.(owners) ?? 0 });
      return `${await metrics.text({ ...NO_LEVELS, ...service.levels?.(owners) })}\n${await batches.text()}`;
    }
  })();
  const module = SliceNodeModule.register({
    health, metrics: parts.metrics, service: sliceNaming(slices, {
      unreadable: (error) => logger.error({ error: error.message }, 'a delivery cannot be read; it ends with the dead letters'),
      undelivered: (error) => logger.warn({ error: error.message }, 'a delivery could not be handed on; it comes again'),
    }),
    door: new DeliveryDoor({ selfId: self.id, host, calls }),
    operations: new SliceOperations({ selfId: self.id, host, operations: service.operations, calls }),
  });
  const { nest } = await createHttpApp(module, { authenticator: new NodeAuthenticator(config.nodeToken), bodyBytesMax: DAPR_LIMITS.bodyBytesMax, ...nodeHttpOptions(parts) });
  await nest.listen(config.port, config.host);
  await seat.take();
  host.start();
  health.hasJoined = true;
  const sweeper = service.sweep && new Sweeper({ clock, owners: () => host.owners, sweep: service.sweep.bind(service), onFailed: (error) => logger.warn({ error: String(error) }, 'the sweep failed') });
  const archiving = service.hasLog ? startArchiving(parts, () => host.owners) : undefined;
  return {
    url: await nest.getUrl(),
    close: async () => {
      health.isDraining = true;
      sweeper?.stop();
      // What it has in hand holds nobody up, and is finished beside the rest.
      const archived = archiving?.stop();
      // The others take over as soon as they know; what is in hand is finished all the same.
      await seat.leave();
      for (const owner of host.owners) service.drain?.(owner);
      await host.stop();
      await nest.close();
      await service.close?.();
      await archived;
      await parts.close();
    },
  };
};
