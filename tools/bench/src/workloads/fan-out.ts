import type { Lab } from '../lab.js';
import type { Row } from '../report.js';
import { measureWindow, summarise, type Measured } from '../window.js';
import type { Outcome } from './outcome.js';

/** Activities of one run, and how many runs are measured, one after another. */
const WIDTHS = [[100, 40], [1_000, 8], [10_000, 2]] as const;
const WIDTHS_QUICK = [[100, 2], [1_000, 1]] as const;

/** One run with so many activities in parallel: what each of them costs should not depend on how many there are. */
export const fanOut = async (lab: Lab): Promise<Outcome> => {
  const systems = await lab.asked();
  const rows: Row[] = [];
  const remarks: string[] = [];
  for (const system of systems) {
    const perActivity: string[] = [];
    for (const [count, runs] of lab.options.quick ? WIDTHS_QUICK : WIDTHS) {
      lab.say(`fan-out: ${count} activities in parallel, ${system.title} …`);
      const ids = Array.from({ length: runs }, (_, index) => `fan-${count}-${index}`);
      const measured = summarise([await measureWindow(lab.generator, system, { kind: 'execute', system: system.name, url: system.url, workflow: 'fanOut', count, concurrency: 1, ids })]);
      rows.push({ workload: `fan-out ${count.toLocaleString('en-US')}`, concurrency: 1, system: system.title, measured });
      perActivity.push(`${costOf(measured, count)} of ${count}`);
    }
    remarks.push(`fan-out: ${system.title}, time and server CPU for each activity: ${perActivity.join('; ')}`);
  }
  await lab.stop(systems);
  return { rows, remarks };
};

const costOf = ({ latencyMs, cpuMs }: Measured, count: number): string => `${((latencyMs.p50 * 1000) / count).toFixed(0)} µs, ${(((cpuMs['server'] ?? 0) * 1000) / count).toFixed(0)} µs`;
