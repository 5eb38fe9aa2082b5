import type { LoadGenerator } from './load-generator.js';
import { measureWindow, summarise, type Measured, type Window } from './window.js';
import type { System } from './systems/system.js';

const WINDOW_MS = 5_000;
const WARMUP_MS = 500;
/** Before the first window of a system at a concurrency: code is compiled, caches fill. */
const FIRST_WARMUP_MS = 2_000;

export interface FiveStepOptions {
  readonly systems: readonly System[];
  readonly generator: LoadGenerator;
  readonly concurrency: number;
  readonly seconds: number;
  /** Takes each run that was answered, for the check after the kill. */
  readonly onAcknowledged: (system: System, ids: readonly string[]) => void;
}

let jobs = 0;

/** In turns, in short windows: the speed of a machine drifts, and both should meet the same of it. */
export const runFiveStep = async ({ systems, generator, concurrency, seconds, onAcknowledged }: FiveStepOptions): Promise<Map<System, Measured>> => {
  const rounds = Math.max(1, Math.round((seconds * 1000) / WINDOW_MS));
  const windows = new Map<System, Window[]>(systems.map((system) => [system, []]));
  for (let round = 0; round < rounds; round++) {
    for (const system of systems) {
      const window = await measureWindow(generator, system, {
        kind: 'run', system: system.name, url: system.url, workflow: 'fiveStep', concurrency,
        prefix: `j${(jobs++).toString(36)}`,
        warmupMs: round === 0 ? Math.min(FIRST_WARMUP_MS, seconds * 1000) : WARMUP_MS,
        measureMs: (seconds * 1000) / rounds,
      });
      onAcknowledged(system, window.load.acknowledged);
      windows.get(system)!.push(window);
    }
  }
  return new Map([...windows].map(([system, each]) => [system, summarise(each)]));
};
