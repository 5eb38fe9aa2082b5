import type { Row } from './report.js';
import { ratioOf } from './statistics.js';
import { renderTable, showNumber } from './table.js';

const HEADINGS = ['in flight', 'system', 'workflows/s', 'p50 ms', 'p99 ms', 'mesh: rate ÷', 'p50 ÷', 'p99 ÷', 'syncs', 'CPU ms', 'client', 'other CPUs', 'CPU ms by process'];

/** One table; a peer's row has what the mesh's figures are as a multiple of its own. CPU is per workflow, the load generator's apart. */
export const meshReportOf = (rows: readonly Row[]): string =>
  renderTable(HEADINGS, rows.map((row) => {
    const { concurrency, system, measured } = row;
    const mesh = rows.find((each) => each.system === 'mesh' && each.concurrency === concurrency && each !== row)?.measured;
    const { ratePerS, latencyMs, cpuMs: { client, ...processes }, othersCpus } = measured;
    return [
      String(concurrency), system, showNumber(ratePerS), showNumber(latencyMs.p50), showNumber(latencyMs.p99),
      showNumber(ratioOf(mesh?.ratePerS, ratePerS)), showNumber(ratioOf(mesh?.latencyMs.p50, latencyMs.p50)), showNumber(ratioOf(mesh?.latencyMs.p99, latencyMs.p99)),
      showNumber(row.syncsPerRun), showNumber(Object.values(processes).reduce((total, ms) => total + ms, 0)), showNumber(client), showNumber(othersCpus), showProcesses(processes),
    ];
  }));

const showProcesses = (cpuMs: Readonly<Record<string, number>>): string =>
  Object.entries(cpuMs).sort(([, a], [, b]) => b - a).map(([name, ms]) => `${name} ${showNumber(ms)}`).join(', ');
