import type { Lab } from '../lab.js';
import type { Row } from '../report.js';
import type { System } from '../systems/system.js';
import { measureWindow, summarise, type Window } from '../window.js';

const WINDOW_MS = 5_000;
const WARMUP_MS = 500;
/** Before the first window of a system at a concurrency: code is compiled, caches fill. */
const FIRST_WARMUP_MS = 2_000;

interface Turns {
  /** What the table calls it. */
  readonly workload: string;
  readonly systems: readonly System[];
  readonly concurrency: number;
  readonly acknowledged: ReadonlyMap<System, string[]>;
}

let jobs = 0;

/** In short windows, one system after the other: the speed of a machine drifts, and all should meet the same of it. */
export const inTurns = async (lab: Lab, { workload, systems, concurrency, acknowledged }: Turns): Promise<Row[]> => {
  lab.say(`${workload}, ${concurrency} in flight …`);
  const measureMs = lab.options.seconds * 1000;
  const rounds = Math.max(1, Math.round(measureMs / WINDOW_MS));
  const windows = new Map<System, Window[]>(systems.map((system) => [system, []]));
  for (let round = 0; round < rounds; round++) {
    for (const system of systems) {
      const window = await measureWindow(lab.generator, system, jobFor(system, { concurrency, warmupMs: round === 0 ? Math.min(FIRST_WARMUP_MS, measureMs) : WARMUP_MS, measureMs: measureMs / rounds }));
      for (const id of window.load.acknowledged) acknowledged.get(system)!.push(id);
      windows.get(system)!.push(window);
    }
  }
  return [...windows].map(([system, each]) => ({ workload, concurrency, system: system.title, measured: summarise(each) }));
};

export const jobFor = ({ name, url }: System, load: { readonly concurrency: number; readonly warmupMs: number; readonly measureMs: number }) =>
  ({ kind: 'run', system: name, url, workflow: 'fiveStep', prefix: `j${(jobs++).toString(36)}`, ...load }) as const;
