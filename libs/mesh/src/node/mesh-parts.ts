import { SystemClock, type Clock } from '@perdure/clock';
import type { CockroachPool } from '@perdure/cockroach';
import { EventTypes } from '@perdure/correlation';
import { DaprBus, DaprSidecar } from '@perdure/dapr';
import { SliceMap, type LogArchive, type Logs, type Membership, type MeshNode, type SliceName, type TrimmableLog } from '@perdure/delivery';
import { newId, SLOTS, slotOf } from '@perdure/identity';
import { ServerMetrics, startTracing, type Tracing } from '@perdure/telemetry';
import type { Logger } from 'pino';
import { openArchive } from '../archive/open-archive.js';
import type { MeshConfig } from '../config.js';
import { MESH_LIMITS } from '../mesh-limits.js';
import { connectLogs, connectMembership, connectPool, prepareTables, type Connecting } from './connect-servers.js';
import { NodeCalls } from './node-calls.js';
import { sharedDeclarations } from './shared-declarations.js';

/** What every node is connected to. */
export interface MeshParts {
  readonly config: MeshConfig;
  readonly self: MeshNode;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  readonly pool: CockroachPool;
  readonly logs: Logs;
  /** Absent: nothing is archived. `logOf`: the log once more, for the one who archives it. */
  readonly archiving?: { readonly archive: LogArchive; logOf(slice: SliceName): TrimmableLog };
  readonly membership: Membership;
  readonly sidecar: DaprSidecar;
  readonly bus: DaprBus;
  readonly calls: NodeCalls;
  readonly eventTypes: EventTypes;
  readonly map: SliceMap;
  /** Of its process and its requests. */
  readonly metrics: ServerMetrics;
  /** Absent: traces are off. */
  readonly tracing?: Tracing;
  close(): Promise<void>;
}

/** Connects to the mesh's servers, makes what is missing there, and waits for none of its own parts. @throws PerdureError when one cannot be reached */
export const connectParts = async (given: MeshConfig, { logger, random }: { readonly logger: Logger; readonly random: () => number }): Promise<MeshParts> => {
  const clock = new SystemClock();
  const { counts } = given;
  const self: MeshNode = { id: newId(clock.now()), service: given.service, address: given.address };
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const each of closers.splice(0).reverse()) await each().catch((error: unknown) => logger.warn({ error: String(error) }, 'a part did not close well'));
  };
  try {
    const tracing = await startTracing(given.traces, { logger, clock, resource: { 'service.instance.id': self.id }, patienceMs: MESH_LIMITS.spansKeptMs });
    // Last of all: what the others do while they close may have spans.
    if (tracing) closers.push(() => tracing.stop());
    const sidecar = new DaprSidecar({ host: '127.0.0.1', clock, httpPort: given.sidecar.httpPort, ...(given.sidecar.apiToken ? { apiToken: given.sidecar.apiToken } : {}) });
    closers.push(() => sidecar.close());
    const config = given.declarationsFrom === 'state' ? await sharedDeclarations(given, { sidecar, clock, logger }) : given;
    const connecting: Connecting = { clock, random, trouble: (server, error) => logger.warn({ error: error.message }, `${server} is in trouble; it is tried again`) };
    const pool = connectPool(config, connecting);
    closers.push(() => pool.close());
    await prepareTables(pool, config);
    const logs = await connectLogs(config, connecting);
    closers.push(() => logs.close());
    const opened = config.archive && (await openArchive(config.archive));
    if (opened) closers.push(async () => opened.close());
    const membership = await connectMembership(config, connecting);
    closers.push(() => membership.leave());
    const bus = new DaprBus({
      sidecar, clock, direct: config.bus.direct, ...(config.bus.pubsub ? {} : { pubsub: false as const }),
      events: {
        notDelivered: (service, way, error) => logger.warn({ to: service, way, error: error.message }, 'not delivered; it comes again'),
        dropped: (service, way) => logger.warn({ to: service, way }, 'too much waits for a service; what was dropped comes again'),
      },
    });
    closers.push(() => bus.close());
    const calls = new NodeCalls(config.nodeToken);
    closers.push(() => calls.close());
    const eventTypes = new EventTypes(config.eventTypes);
    const map = new SliceMap({ counts, slotOf, slots: SLOTS, routing: eventTypes });
    return { config, self, clock, random, logger, pool, logs, membership, sidecar, bus, calls, eventTypes, map, metrics: new ServerMetrics(), ...(opened ? { archiving: { archive: opened.archive, logOf: (slice) => logs.pastOf(slice) } } : {}), ...(tracing ? { tracing } : {}), close };
  } catch (error) {
    await close();
    throw error;
  }
};
