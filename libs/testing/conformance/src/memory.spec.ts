import { MemorySagaStore } from '@perdure/compensation/testing';
import { MemoryCorrelationStore } from '@perdure/correlation/testing';
import { MemorySliceStore } from '@perdure/delivery/testing';
import type { HistoryCommit } from '@perdure/history';
import { MemoryStateStore } from '@perdure/history/testing';
import { MemoryTaskStore, MemoryTimerStore } from '@perdure/scheduler/testing';
import { busSuite } from './bus-suite.js';
import { correlationStoreSuite } from './correlation-store-suite.js';
import type { Make } from './made.js';
import { MemoryBus } from './memory-bus.js';
import { sagaStoreSuite } from './saga-store-suite.js';
import { sliceStoreSuite } from './slice-store-suite.js';
import { taskStoreSuite, timerStoreSuite } from './scheduler-store-suite.js';
import { stateStoreSuite } from './state-store-suite.js';

const inMemory = <S>(toStore: () => S): Make<S> => async () => {
  const store = toStore();
  return { store, reopen: async () => store, close: async () => undefined };
};

stateStoreSuite('memory', inMemory(() => new MemoryStateStore()));
taskStoreSuite('memory', inMemory(() => new MemoryTaskStore()));
timerStoreSuite('memory', inMemory(() => new MemoryTimerStore()));
correlationStoreSuite('memory', inMemory(() => new MemoryCorrelationStore()));
sagaStoreSuite('memory', inMemory(() => new MemorySagaStore()));
sliceStoreSuite('memory', async () => {
  const state = new MemoryStateStore();
  const store = new MemorySliceStore<HistoryCommit>((rows) => state.write(rows));
  return { store, reopen: async () => store, state, close: async () => undefined };
});
busSuite('A bus in memory', async (deliver) => {
  const bus = new MemoryBus(deliver);
  return { buses: { history: bus, scheduler: bus }, close: async () => undefined };
});
