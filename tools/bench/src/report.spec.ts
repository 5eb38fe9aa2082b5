import { describe, expect, it } from '@jest/globals';
import { reportOf, type Row } from './report.js';

const row = (system: string, ratePerS: number, p50: number, concurrency = 16): Row => ({
  workload: 'five-step', concurrency, system,
  measured: { count: 100, elapsedS: 1, ratePerS, latencyMs: { p50, p95: 2 * p50, p99: 3 * p50, max: 4 * p50 }, cpuMs: { server: 0.5, client: 0.1 }, threadsMs: { server: { main: 0.1, shard: 0.4 } }, rssMb: { server: 200 }, othersCpus: 0.25 },
});

const cells = (line: string | undefined): string[] => (line ?? '').split(/ {2,}/);

describe('report', () => {
  it('compares with Restate at the same workload and concurrency', () => {
    const [headings, , ours, theirs, alone] = reportOf([row('perdure', 2_000, 5), row('restate', 500, 20), row('perdure', 900, 5, 64)]).split('\n').map(cells);
    const at = (line: string[], heading: string): string | undefined => line[headings!.indexOf(heading)];
    expect([at(ours!, 'rate ÷ restate'), at(ours!, 'p50 ÷ restate'), at(ours!, 'p99 ÷ restate')]).toEqual(['4.00', '0.25', '0.25']);
    expect(at(theirs!, 'rate ÷ restate')).toBe('-');
    expect(at(alone!, 'rate ÷ restate')).toBe('-');
    expect(at(ours!, '(threads)')).toBe('shard 0.40 main 0.10');
  });
});
