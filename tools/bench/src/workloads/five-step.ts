import { join } from 'node:path';
import type { Lab } from '../lab.js';
import type { Row } from '../report.js';
import { STEPS } from '../expected.js';
import { countSyncs, whyNotTraced } from '../sync-count.js';
import type { System } from '../systems/system.js';
import { survivesKill } from './kill-check.js';
import { inTurns, jobFor } from './five-step-turns.js';
import type { Outcome } from './outcome.js';

const WARMUP_MS = 500;
const SYNC_WINDOW_MS = 2_000;

/** A workflow of five sequential activities of 200 bytes: start it, wait for its result. */
export const fiveStep = async (lab: Lab): Promise<Outcome> => {
  const systems = await lab.asked();
  if (lab.has('perdure')) systems.splice(1, 0, await lab.perdure({ title: 'perdure, in process', activities: 'server' }));
  const acknowledged = new Map<System, string[]>(systems.map((system) => [system, []]));
  const rows: Row[] = [];
  for (const concurrency of lab.options.concurrency) rows.push(...(await inTurns(lab, { workload: 'five-step', systems, concurrency, acknowledged })));
  const remarks: string[] = [];
  for (const system of systems) remarks.push(await survivesKill(lab, system, acknowledged.get(system)!));
  await lab.stop(systems);
  const syncs = await syncsPerRun(lab);
  return { rows: rows.map((row) => ({ ...row, ...syncs.of(row) })), remarks: [...remarks, ...syncs.remarks] };
};

interface Syncs {
  readonly remarks: readonly string[];
  of(row: Row): { readonly syncsPerRun?: number };
}

/**
 * Counted apart from the timed windows, since watching slows.
 * @throws Error when a system acknowledges, one run at a time, with fewer syncs than steps: then its speed is not comparable
 */
const syncsPerRun = async (lab: Lab): Promise<Syncs> => {
  const why = whyNotTraced();
  if (why !== undefined) return { remarks: [`fsyncs were not counted: ${why}`], of: () => ({}) };
  const found = new Map<string, number>();
  for (const name of lab.options.systems) {
    const trace = join(lab.folder, `${name}.syncs`);
    const system = name === 'perdure' ? await lab.perdure({ trace }) : await lab.restate({ trace });
    for (const concurrency of lab.options.concurrency) {
      lab.say(`counting the syncs of ${name}, ${concurrency} in flight …`);
      let before = 0;
      let after = 0;
      const { latenciesMs } = await lab.generator.run(jobFor(system, { concurrency, warmupMs: WARMUP_MS, measureMs: SYNC_WINDOW_MS }), { onMeasuring: () => void (before = countSyncs(trace)), onMeasured: () => void (after = countSyncs(trace)) });
      const perRun = (after - before) / latenciesMs.length;
      if (concurrency === 1 && perRun < STEPS) throw new Error(`${name} syncs ${perRun.toFixed(1)} times for a run of ${STEPS} steps: not every state change is on disk before the next`);
      found.set(`${name} ${concurrency}`, perRun);
    }
    await lab.stop([system]);
  }
  return { remarks: [], of: ({ system, concurrency }) => (found.has(`${system} ${concurrency}`) ? { syncsPerRun: found.get(`${system} ${concurrency}`)! } : {}) };
};
