import type { CompensationChange } from '@perdure/compensation';
import type { CorrelationChange } from '@perdure/correlation';
import type { SliceName } from '@perdure/delivery';
import type { Guards } from '@perdure/guards';
import type { HistoryCommit } from '@perdure/history';
import type { SchedulerChange } from '@perdure/scheduler';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import { compensationQueries } from '../rows/compensation-rows.js';
import { correlationQueries } from '../rows/correlation-rows.js';
import { historyQueries } from '../rows/history-rows.js';
import { schedulerQueries } from '../rows/scheduler-rows.js';
import { CockroachSliceStore, type CockroachSliceStoreOptions } from './cockroach-slice-store.js';

const factory =
  <Rows>(queries: CockroachSliceStoreOptions<Rows>['queries']) =>
  (pool: CockroachPool, slice: SliceName, guards?: Guards): CockroachSliceStore<Rows> =>
    new CockroachSliceStore<Rows>({ pool, slice, queries, ...(guards ? { guards } : {}) });

export const historySliceStore = factory<HistoryCommit>(historyQueries);
export const schedulerSliceStore = factory<readonly SchedulerChange[]>(schedulerQueries);
export const correlationSliceStore = factory<readonly CorrelationChange[]>(correlationQueries);
export const compensationSliceStore = factory<readonly CompensationChange[]>(compensationQueries);
