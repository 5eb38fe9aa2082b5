import type { CompensationChange } from '@perdure/compensation';
import type { CorrelationChange } from '@perdure/correlation';
import type { SliceName } from '@perdure/delivery';
import type { Guards } from '@perdure/guards';
import type { HistoryCommit } from '@perdure/history';
import type { SchedulerChange } from '@perdure/scheduler';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import { COMPENSATION_ROWS } from '../rows/compensation-rows.js';
import { CORRELATION_ROWS } from '../rows/correlation-rows.js';
import { HISTORY_ROWS } from '../rows/history-rows.js';
import { SCHEDULER_ROWS } from '../rows/scheduler-rows.js';
import type { ServiceRows } from '../rows/service-rows.js';
import { CockroachSliceStore } from './cockroach-slice-store.js';

const factory =
  <Rows>(service: ServiceRows<Rows>) =>
  (pool: CockroachPool, slice: SliceName, guards?: Guards): CockroachSliceStore<Rows> =>
    new CockroachSliceStore<Rows>({ pool, slice, service, ...(guards ? { guards } : {}) });

export const historySliceStore = factory<HistoryCommit>(HISTORY_ROWS);
export const schedulerSliceStore = factory<readonly SchedulerChange[]>(SCHEDULER_ROWS);
export const correlationSliceStore = factory<readonly CorrelationChange[]>(CORRELATION_ROWS);
export const compensationSliceStore = factory<readonly CompensationChange[]>(COMPENSATION_ROWS);
