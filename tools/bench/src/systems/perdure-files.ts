import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { System } from './system.js';

/** Asks each shard's file for one row and gives the sums of its columns: what the API does not show. */
export const sumOverShards = ({ options }: System, select: string): Readonly<Record<string, number>> => {
  const sums: Record<string, number> = {};
  for (const name of readdirSync(options.folder).filter((each) => /^shard-\d+\.db$/.test(each))) {
    const db = new DatabaseSync(join(options.folder, name), { readOnly: true, timeout: 5_000 });
    for (const [column, value] of Object.entries(db.prepare(select).get() ?? {})) sums[column] = (sums[column] ?? 0) + Number(value);
    db.close();
  }
  return sums;
};

/** Waits until no task is open, or no timer armed. */
export const untilNone = async (system: System, table: 'task' | 'timer', everyMs = 50): Promise<void> => {
  while (sumOverShards(system, `select exists (select 1 from ${table}) as open`)['open'] !== 0) await sleep(everyMs);
};
