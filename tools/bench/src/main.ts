import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { Lab } from './lab.js';
import { meshReportOf } from './mesh-report.js';
import { parseOptions, USAGE, type Options, type Workload } from './options.js';
import { reportOf, type Row } from './report.js';
import { fanOut } from './workloads/fan-out.js';
import { fiveStep } from './workloads/five-step.js';
import { limits } from './workloads/limits.js';
import { meshFiveStep } from './workloads/mesh-five-step.js';
import type { Outcome } from './workloads/outcome.js';
import { parked } from './workloads/parked.js';
import { resume } from './workloads/resume.js';
import { shards } from './workloads/shards.js';
import { signal } from './workloads/signal.js';
import { timers } from './workloads/timers.js';

const RUN: Readonly<Record<Workload, (lab: Lab) => Promise<Outcome>>> = { limits, 'five-step': fiveStep, signal, parked, resume, 'fan-out': fanOut, timers, shards };

const run = async (options: Options): Promise<void> => {
  const lab = await Lab.open(options);
  const rows: Row[] = [];
  const remarks: string[] = [];
  for (const workload of options.mesh ? [meshFiveStep] : options.workloads.map((name) => RUN[name])) {
    const outcome = await workload(lab);
    rows.push(...outcome.rows);
    remarks.push(...outcome.remarks);
  }
  console.log([options.mesh ? meshReportOf(rows) : reportOf(rows), '', ...remarks].join('\n'));
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ node: process.version, cpus: cpus().map(({ model }) => model), at: new Date().toISOString(), remarks, rows }, undefined, 2)}\n`);
};

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else await run(options);
  process.exit(0);
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  if ((error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') || /^--/.test((error as Error).message)) console.error(`\n${USAGE}`);
  process.exit(1);
}
