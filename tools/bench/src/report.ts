import { ratioOf } from './statistics.js';
import { renderTable, showNumber } from './table.js';
import type { Measured } from './window.js';

export interface Row {
  readonly workload: string;
  readonly concurrency: number;
  readonly system: string;
  readonly measured: Measured;
  /** fsync, fdatasync and their like of the server, for each run. */
  readonly syncsPerRun?: number;
}

const HEADINGS = ['workload', 'in flight', 'system', 'rate /s', 'p50 ms', 'p95 ms', 'p99 ms', 'CPU ms: server', '(threads)', 'worker', 'client', 'syncs', 'RSS MB: server', 'worker', 'other CPUs', 'rate ÷ restate', 'p50 ÷ restate', 'p99 ÷ restate'];

/** One table; a row's last columns compare it with Restate's of the same workload and concurrency. */
export const reportOf = (rows: readonly Row[]): string =>
  renderTable(HEADINGS, rows.map((row) => {
    const { workload, concurrency, system, measured } = row;
    const peer = rows.find((each) => each.system === 'restate' && each.workload === workload && each.concurrency === concurrency && each !== row)?.measured;
    const { ratePerS, latencyMs, cpuMs, threadsMs, rssMb, othersCpus } = measured;
    return [
      workload, String(concurrency), system,
      showNumber(ratePerS), showNumber(latencyMs.p50), showNumber(latencyMs.p95), showNumber(latencyMs.p99),
      showNumber(cpuMs['server']), showThreads(threadsMs['server'] ?? {}), showNumber(cpuMs['worker']), showNumber(cpuMs['client']),
      showNumber(row.syncsPerRun), showNumber(rssMb['server']), showNumber(rssMb['worker']),
      showNumber(othersCpus), showNumber(ratioOf(ratePerS, peer?.ratePerS)), showNumber(ratioOf(latencyMs.p50, peer?.latencyMs.p50)), showNumber(ratioOf(latencyMs.p99, peer?.latencyMs.p99)),
    ];
  }));

const THREADS_SHOWN = 4;

const showThreads = (threads: Readonly<Record<string, number>>): string =>
  Object.entries(threads).sort(([, a], [, b]) => b - a).slice(0, THREADS_SHOWN).filter(([, ms]) => ms >= 0.005).map(([name, ms]) => `${name} ${showNumber(ms)}`).join(' ');
