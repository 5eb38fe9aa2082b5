import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@perdure/clock';
import type { CompensationChange } from '@perdure/compensation';
import type { CorrelationChange } from '@perdure/correlation';
import { MetaFile, openReader, ShardedAuditLog, ShardedRunReader, ShardedTaskReader, ShardedWaitReader, ShardFile, SqliteAuditLog, SqliteBundles, SqliteBundleSource, SqliteCorrelationStore, SqliteRunReader, SqliteSagaStore, SqliteSchedulerStore, SqliteStateStore, SqliteTaskReader, SqliteWaitReader } from '@perdure/sqlite';
import type { SchedulerChange } from '@perdure/scheduler';
import type { DatabaseSync } from 'node:sqlite';
import { auditLogSuite } from './audit-log-suite.js';
import { bundleRegistrySuite, inspectSample } from './bundle-registry-suite.js';
import { READER_SLICES, type MakeReader } from './made-reader.js';
import { runReaderSuite, type RunRows } from './run-reader-suite.js';
import { commitOf } from './sample-rows.js';
import { taskReaderSuite } from './task-reader-suite.js';
import { waitReaderSuite } from './wait-reader-suite.js';

const inFolder = async (): Promise<{ readonly folder: string; remove(): Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-conformance-'));
  return { folder, remove: () => rm(folder, { recursive: true }) };
};

interface Files<Rows> {
  /** Connections that read. */
  readonly read: readonly DatabaseSync[];
  readonly write: (slice: number, rows: Rows) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** A file for each slice, written through one connection and read through another. */
const onFiles = async <Rows>(toWrite: (file: ShardFile, shard: number) => (rows: Rows) => Promise<void>): Promise<Files<Rows>> => {
  const { folder, remove } = await inFolder();
  const paths = [...Array(READER_SLICES).keys()].map((shard) => join(folder, `shard-${shard}.db`));
  const files = paths.map((path, shard) => new ShardFile({ path, shard }));
  const writes = files.map(toWrite);
  const read = paths.map(openReader);
  return {
    read,
    write: (slice, rows) => writes[slice]!(rows),
    close: async () => {
      for (const each of [...files, ...read]) each.close();
      await remove();
    },
  };
};

const runs = (file: ShardFile, shard: number) => {
  const store = new SqliteStateStore(file);
  return async (rows: RunRows): Promise<void> => store.commit({ ...commitOf(await store.head(), rows), shard });
};

/** Any that is the same each time does. */
const shardOf = (_tenant: string, workflowId: string): number => [...workflowId].reduce((sum, letter) => sum + letter.codePointAt(0)!, 0) % READER_SLICES;

runReaderSuite('SQLite', async () => {
  const { read, ...files } = await onFiles(runs);
  return { ...files, shardOf, reader: new ShardedRunReader(read.map((db) => new SqliteRunReader(db)), shardOf) };
});

const waits: MakeReader<ShardedWaitReader, readonly CorrelationChange[]> = async () => {
  const { read, ...files } = await onFiles((file) => {
    const store = new SqliteCorrelationStore(file);
    return (changes: readonly CorrelationChange[]) => store.commit(changes);
  });
  return { ...files, reader: new ShardedWaitReader(read.map((db) => new SqliteWaitReader(db))) };
};
waitReaderSuite('SQLite', waits);

taskReaderSuite('SQLite', async () => {
  const { read, ...files } = await onFiles((file) => {
    const store = new SqliteSchedulerStore(file);
    return async (changes: readonly SchedulerChange[]) => file.transaction(() => store.write(changes));
  });
  return { ...files, sliceOf: shardOf, reader: new ShardedTaskReader(read.map((db) => new SqliteTaskReader(db)), shardOf) };
});

const audits: MakeReader<ShardedAuditLog, readonly CompensationChange[]> = async () => {
  const { read, ...files } = await onFiles((file) => {
    const store = new SqliteSagaStore(file);
    return (changes: readonly CompensationChange[]) => store.commit(changes);
  });
  return { ...files, reader: new ShardedAuditLog(read.map((db) => new SqliteAuditLog(db))) };
};
auditLogSuite('SQLite', audits);

bundleRegistrySuite('SQLite', async () => {
  const { folder, remove } = await inFolder();
  const [file, meta, clock] = [new ShardFile({ path: join(folder, 'shard-0.db') }), new MetaFile(join(folder, 'meta.db')), new ManualClock()];
  const write = runs(file, 0);
  const source = new SqliteBundleSource(meta);
  return {
    clock,
    registry: new SqliteBundles({ meta, clock, reader: new SqliteRunReader(file.db), inspect: inspectSample, forget: async (tenant, hash) => source.forget(tenant, hash) }),
    source,
    write: (rows) => write({ runs: rows }),
    close: async () => {
      meta.close();
      file.close();
      await remove();
    },
  };
});
