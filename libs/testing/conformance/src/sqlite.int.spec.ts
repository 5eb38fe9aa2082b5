import { ShardFile, SqliteCorrelationStore, SqliteSagaStore, SqliteSchedulerStore, SqliteStateStore } from '@perdure/sqlite';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { correlationStoreSuite } from './correlation-store-suite.js';
import type { Make } from './made.js';
import { sagaStoreSuite } from './saga-store-suite.js';
import { taskStoreSuite, timerStoreSuite } from './scheduler-store-suite.js';
import { stateStoreSuite } from './state-store-suite.js';

/** A file of its own for each test, and a second connection to see what is really there. */
const onFile = <S>(toStore: (file: ShardFile) => S): Make<S> => async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-conformance-'));
  const path = join(folder, 'shard-0.db');
  const files = [new ShardFile({ path })];
  return {
    store: toStore(files[0]!),
    reopen: async () => {
      const again = new ShardFile({ path });
      files.push(again);
      return toStore(again);
    },
    close: async () => {
      for (const file of files) file.close();
      await rm(folder, { recursive: true });
    },
  };
};

stateStoreSuite('SQLite', onFile((file) => new SqliteStateStore(file)));
taskStoreSuite('SQLite', onFile((file) => new SqliteSchedulerStore(file).tasks));
timerStoreSuite('SQLite', onFile((file) => new SqliteSchedulerStore(file).timers));
correlationStoreSuite('SQLite', onFile((file) => new SqliteCorrelationStore(file)));
sagaStoreSuite('SQLite', onFile((file) => new SqliteSagaStore(file)));
