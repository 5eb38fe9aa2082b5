import { describe, expect, it } from '@jest/globals';
import { meshReportOf } from './mesh-report.js';
import type { Row } from './report.js';

const row = (system: string, ratePerS: number, { p50, cpuMs, concurrency = 16 }: { readonly p50: number; readonly cpuMs: Readonly<Record<string, number>>; readonly concurrency?: number }): Row => ({
  workload: 'five-step', concurrency, system,
  measured: { count: 100, elapsedS: 1, ratePerS, latencyMs: { p50, p95: 2 * p50, p99: 3 * p50, max: 4 * p50 }, cpuMs, threadsMs: {}, rssMb: {}, othersCpus: 0.25 },
});

const cells = (line: string | undefined): string[] => (line ?? '').split(/ {2,}/).filter((cell) => cell !== '');

describe('the report on the mesh', () => {
  const [headings, , ours, theirs, alone] = meshReportOf([
    row('mesh', 300, { p50: 20, cpuMs: { postgres: 1, 'history-0': 2, client: 0.5 } }),
    row('dbos', 200, { p50: 80, cpuMs: { app: 4, postgres: 5, client: 0.5 } }),
    row('dbos', 50, { p50: 10, cpuMs: { app: 4 }, concurrency: 1 }),
  ]).split('\n').map(cells);
  const at = (line: string[] | undefined, heading: string): string | undefined => line?.[headings!.indexOf(heading)];

  it('says in a peer\'s row how the mesh compares with it', () => {
    expect([at(theirs, 'mesh: rate ÷'), at(theirs, 'p50 ÷'), at(theirs, 'p99 ÷')]).toEqual(['1.50', '0.25', '0.25']);
    expect(at(ours, 'mesh: rate ÷')).toBe('-');
    expect(at(alone, 'mesh: rate ÷')).toBe('-');
  });

  it('adds up CPU time without the load generator\'s, and names each process', () => {
    expect([at(ours, 'CPU ms'), at(ours, 'client'), at(ours, 'CPU ms by process')]).toEqual(['3.00', '0.50', 'history-0 2.00, postgres 1.00']);
  });
});
