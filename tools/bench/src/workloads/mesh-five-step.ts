import { join } from 'node:path';
import { STEPS } from '../expected.js';
import type { Lab } from '../lab.js';
import { treeOf } from '../process-usage.js';
import type { Row } from '../report.js';
import { SyncWatch } from '../sync-count.js';
import type { System } from '../systems/system.js';
import { inTurns, jobFor } from './five-step-turns.js';
import { survivesKill } from './kill-check.js';
import type { Outcome } from './outcome.js';

const WARMUP_MS = 500;
const SYNC_WINDOW_MS = 3_000;
/** What keeps no files; sidecars neither. */
const WITHOUT_FILES = /^(worker|app|.*-daprd)$/;

/** The five-step workload on the mesh and on what may be used in its place. */
export const meshFiveStep = async (lab: Lab): Promise<Outcome> => {
  const systems = await lab.asked();
  const acknowledged = new Map<System, string[]>(systems.map((system) => [system, []]));
  const rows: Row[] = [];
  for (const concurrency of lab.options.concurrency) rows.push(...(await inTurns(lab, { workload: 'five-step', systems, concurrency, acknowledged })));
  const remarks: string[] = [];
  const syncs = new Map<string, number>();
  for (const system of systems) remarks.push(...(await countSyncsOf(lab, system, syncs)));
  for (const system of systems) remarks.push(await survivesKill(lab, system, acknowledged.get(system)!));
  await lab.stop(systems);
  const syncsOf = (row: Row): Partial<Row> => {
    const found = syncs.get(keyOf(row.system, row.concurrency));
    return found === undefined ? {} : { syncsPerRun: found };
  };
  return { rows: rows.map((row) => ({ ...row, ...syncsOf(row) })), remarks };
};

const keyOf = (title: string, concurrency: number): string => `${title} ${concurrency}`;

/**
 * Of all its servers together, apart from the timed windows.
 * @throws Error when it acknowledges, one run at a time, with fewer syncs than steps: then its speed is not comparable
 */
const countSyncsOf = async (lab: Lab, system: System, syncs: Map<string, number>): Promise<string[]> => {
  const pids = Object.entries(system.pids()).filter(([role]) => !WITHOUT_FILES.test(role)).flatMap(([, pid]) => treeOf(pid));
  let watch: SyncWatch;
  try {
    watch = await SyncWatch.start(lab.children, pids, join(lab.folder, `${system.name}.syncs`));
  } catch (error) {
    return [`syncs of ${system.title} were not counted: ${(error as Error).message}`];
  }
  for (const concurrency of lab.options.concurrency) {
    lab.say(`counting the syncs of ${system.title}, ${concurrency} in flight …`);
    let before = 0;
    let after = 0;
    const { latenciesMs } = await lab.generator.run(jobFor(system, { concurrency, warmupMs: WARMUP_MS, measureMs: SYNC_WINDOW_MS }), { onMeasuring: () => void (before = watch.count), onMeasured: () => void (after = watch.count) });
    const perRun = (after - before) / latenciesMs.length;
    if (concurrency === 1 && perRun < STEPS) throw new Error(`${system.title} syncs ${perRun.toFixed(1)} times for a run of ${STEPS} steps: not every state change is on disk before the next`);
    syncs.set(keyOf(system.title, concurrency), perRun);
  }
  await watch.stop();
  return [];
};
