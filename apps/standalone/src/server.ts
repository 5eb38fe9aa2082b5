import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SystemClock } from '@perdure/clock';
import { LIMITS } from '@perdure/contract';
import { EventTypes } from '@perdure/correlation';
import { ShardDesk, ShardMap } from '@perdure/embedded';
import { createHttpApp } from '@perdure/http';
import { ApiKeyAuthenticator, SoleTenantAuthenticator } from '@perdure/ingestion-feature';
import { ApiKeys } from '@perdure/ingestion';
import type { TaskDesk } from '@perdure/scheduler';
import { FolderLock, MetaFile, openReader } from '@perdure/sqlite';
import { observeHttp, observeSocketCall, requestFields, ServerMetrics, startTracing } from '@perdure/telemetry';
import type { Logger } from 'pino';
import { BODY_LIMITS, newSecret } from './adapters.js';
import { AppModule } from './app-module.js';
import type { Config } from './config.js';
import { checkFiles, checkShards, filesOf, META, noteMade, shardPath } from './data-folder.js';
import { guardFiles } from './file-guard.js';
import { Readiness } from './operations-controller.js';
import { shardCount, startShards } from './shards.js';

export interface Server {
  readonly url: string;
  /** Where a worker in this process comes for work. */
  readonly desk: TaskDesk;
  /** Answers what is in flight, hands out no more tasks, closes the files. */
  close(): Promise<void>;
}

/** Opens the data folder, starts its shards and serves. @throws PerdureError when the folder is taken or too new */
export const startServer = async (config: Config, { logger, onFatal }: { readonly logger: Logger; readonly onFatal: (reason: string) => void }): Promise<Server> => {
  const folder = resolve(config.data);
  mkdirSync(folder, { recursive: true });
  const lock = new FolderLock(join(folder, 'lock.db'), folder);
  checkFiles(folder);
  const metaPath = join(folder, META);
  const meta = new MetaFile(metaPath);
  meta.undoRetirements();
  const snapshotKey = meta.secret('snapshot-key', newSecret);
  const clock = new SystemClock();
  const eventTypes = new EventTypes(config.eventTypes);
  const map = new ShardMap(shardCount(meta, { folder, wanted: config.shards }));
  checkShards(meta, { folder, count: map.count });
  const tracing = await startTracing(config.traces, { logger, clock });
  const spans = tracing?.shards();
  const data = { metaPath, snapshotKey, retentionMs: config.retentionMs, traces: tracing !== undefined };
  const { gateway: shard, checkpoints } = await startShards({ folder, map, data, logger, onFatal, onSpans: (report) => spans?.record(report) });
  noteMade(meta);
  const unguard = guardFiles(filesOf(folder, map.count), (path) => onFatal(`${path} was removed or moved while the server had it open: bring it back before you start again`));
  const metrics = new ServerMetrics();
  const committed = Array.from({ length: map.count }, (_, index) => openReader(shardPath(folder, index)));
  const readiness = new Readiness();
  const authenticator = config.apiKeys.length > 0 ? new ApiKeyAuthenticator(new ApiKeys(config.apiKeys)) : new SoleTenantAuthenticator(config.tenant);
  const { nest } = await createHttpApp(AppModule.register({ config, clock, shard, meta, map, eventTypes, committed, readiness, metrics }), {
    authenticator,
    bodyBytesMax: LIMITS.payloadBytesMax,
    bodyBytesMaxByPrefix: BODY_LIMITS,
    onInternal: (error, request) => logger.error({ err: error.cause ?? error, ...(request && requestFields(request)) }, 'a request met an error'),
    onSocketCall: (call) => observeSocketCall({ metrics, logger }, call),
    observe: (instance) => observeHttp(instance, { metrics, logger, clock, slowMs: config.slowRequestMs, ...(tracing ? { spans: tracing.requests } : {}) }),
  });
  await nest.listen(config.port, config.host);
  return {
    url: await nest.getUrl(),
    desk: new ShardDesk(shard),
    close: async () => {
      readiness.draining = true;
      await shard.drain();
      await nest.close();
      await checkpoints.close();
      unguard();
      // The last to close a database copies the rest of its log, which those that only read cannot.
      for (const db of committed) db.close();
      await shard.close();
      meta.close();
      lock.release();
      // Last: what is left to send must not keep the next server from the folder.
      await tracing?.stop();
    },
  };
};
