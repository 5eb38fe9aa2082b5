import type { LoadJob, LoadResult } from './load.js';
import type { LoadGenerator } from './load-generator.js';
import { busyCpuS, threadGroups, usageOfTree, type Usage } from './process-usage.js';
import { concat, spreadOf, type Spread } from './statistics.js';
import type { System } from './systems/system.js';

/** What one short window of load on one system has shown. */
export interface Window {
  readonly load: LoadResult;
  /** CPU seconds by role while it was measured. */
  readonly cpuS: Readonly<Record<string, number>>;
  /** The same by role and group of threads. */
  readonly threadsS: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly rssBytes: Readonly<Record<string, number>>;
  /** CPU seconds that other programs used meanwhile. */
  readonly othersS: number;
}

export const measureWindow = async (generator: LoadGenerator, system: System, job: LoadJob): Promise<Window> => {
  const pids = { ...system.pids(), client: generator.pid };
  const read = (): Map<string, Usage> => new Map(Object.entries(pids).map(([role, pid]) => [role, usageOfTree(pid)]));
  let before = new Map<string, Usage>();
  let after = new Map<string, Usage>();
  let busyS = 0;
  const onMeasuring = (): void => {
    before = read();
    busyS -= busyCpuS();
  };
  const onMeasured = (): void => {
    after = read();
    busyS += busyCpuS();
  };
  const load = await generator.run(job, { onMeasuring, onMeasured });
  assertRight(system, load);
  const byRole = <T>(of: (before: Usage, after: Usage, pid: number) => T): Record<string, T> => Object.fromEntries(Object.entries(pids).map(([role, pid]) => [role, of(before.get(role)!, after.get(role)!, pid)]));
  const cpuS = byRole((start, end) => end.cpuS - start.cpuS);
  return {
    load,
    cpuS,
    othersS: Math.max(0, busyS - sum(Object.values(cpuS))),
    threadsS: byRole((start, end, pid) => threadGroups(pid, start, end)),
    rssBytes: byRole((_start, end) => end.rssBytes),
  };
};

/** @throws Error with the first answers that were wrong or missing: figures of a system that errs are no figures */
export const assertRight = ({ title }: System, { failures, wrong }: LoadResult): void => {
  if (failures.length > 0) throw new Error(`${title} failed: ${failures.join('; ')}`);
  if (wrong.length > 0) throw new Error(`${title} answered what it should not: ${wrong.join('; ')}`);
};

export interface Measured {
  readonly count: number;
  readonly elapsedS: number;
  readonly ratePerS: number;
  readonly latencyMs: Spread;
  /** Per workflow. */
  readonly cpuMs: Readonly<Record<string, number>>;
  readonly threadsMs: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** At the end of the last window. */
  readonly rssMb: Readonly<Record<string, number>>;
  /** How many CPUs other programs had meanwhile, on average. */
  readonly othersCpus: number;
}

/** All windows of one system as one figure: rates by all time, percentiles over all latencies. */
export const summarise = (windows: readonly Window[]): Measured => {
  const latencies = concat(windows.map(({ load }) => load.latenciesMs));
  const elapsedS = sum(windows.map(({ load }) => load.elapsedMs)) / 1000;
  const perRun = (records: readonly Readonly<Record<string, number>>[]): Record<string, number> => mapValues(sumRecords(records), (seconds) => (seconds * 1000) / latencies.length);
  const roles = Object.keys(windows[0]?.cpuS ?? {});
  return {
    count: latencies.length,
    elapsedS,
    ratePerS: latencies.length / elapsedS,
    latencyMs: spreadOf(latencies),
    cpuMs: perRun(windows.map(({ cpuS }) => cpuS)),
    threadsMs: Object.fromEntries(roles.map((role) => [role, perRun(windows.map(({ threadsS }) => threadsS[role] ?? {}))])),
    othersCpus: sum(windows.map(({ othersS }) => othersS)) / elapsedS,
    rssMb: mapValues(windows.at(-1)?.rssBytes ?? {}, (bytes) => bytes / 2 ** 20),
  };
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const sumRecords = (records: readonly Readonly<Record<string, number>>[]): Record<string, number> => {
  const total: Record<string, number> = {};
  for (const record of records) for (const [key, value] of Object.entries(record)) total[key] = (total[key] ?? 0) + value;
  return total;
};

const mapValues = (record: Readonly<Record<string, number>>, map: (value: number) => number): Record<string, number> => Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
