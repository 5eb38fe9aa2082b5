import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../lab.js';
import type { Row } from '../report.js';
import type { System } from '../systems/system.js';
import { inTurns } from './five-step-turns.js';
import type { Outcome } from './outcome.js';

const COUNTS = [1, 2] as const;

/** The five-step workflow with its runs on one thread and on two, each with a file of its own. */
export const shards = async (lab: Lab): Promise<Outcome> => {
  if (!lab.has('perdure')) return { rows: [], remarks: [] };
  const systems: System[] = [];
  for (const count of COUNTS) systems.push(await lab.perdure({ title: `perdure, ${count} shard${count === 1 ? '' : 's'}`, env: { PERDURE_SHARDS: String(count) } }));
  const last = systems.at(-1)!;
  if (!existsSync(join(last.options.folder, `shard-${COUNTS.at(-1)! - 1}.db`))) throw new Error(`${last.title}: the server made no file for a second shard`);
  const acknowledged = new Map<System, string[]>(systems.map((system) => [system, []]));
  const rows: Row[] = [];
  for (const concurrency of lab.options.concurrency) rows.push(...(await inTurns(lab, { workload: 'shards', systems, concurrency, acknowledged })));
  await lab.stop(systems);
  return { rows, remarks: [] };
};
