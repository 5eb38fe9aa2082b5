import { MemorySagaStore } from '@perdure/compensation/testing';
import { MemoryCorrelationStore } from '@perdure/correlation/testing';
import { MemoryStateStore } from '@perdure/history/testing';
import { MemoryTaskStore, MemoryTimerStore } from '@perdure/scheduler/testing';
import { correlationStoreSuite } from './correlation-store-suite.js';
import type { Make } from './made.js';
import { sagaStoreSuite } from './saga-store-suite.js';
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
