import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../lab.js';
import { ratioOf, spreadOf } from '../statistics.js';
import { untilNone } from '../systems/perdure-files.js';
import type { System } from '../systems/system.js';
import { showNumber } from '../table.js';
import { assertRight, measureWindow, summarise } from '../window.js';
import type { Outcome } from './outcome.js';

const TIMERS = 50_000;
const TIMERS_QUICK = 500;
const STARTERS = 64;
/** Started first, to see how long the others will take. */
const TRIAL = 500;
/** The moment is set so much later than they should take. */
const RESERVE = 1.6;
/** Time for a look at the others before. */
const AHEAD_MS = 14_000;
const OTHERS = 4;
const OTHERS_MS = 5_000;
const QUICK_SHARE = 0.2;
/** All of one second are due, spread evenly. */
const SPREAD_MS = 1_000;
const PAGE = 1_000;

/** 50,000 runs sleep until the same second, while others go their way. */
export const timers = async (lab: Lab): Promise<Outcome> => {
  if (!lab.has('perdure')) return { rows: [], remarks: [] };
  const { quick } = lab.options;
  const count = quick ? TIMERS_QUICK : TIMERS;
  const share = quick ? QUICK_SHARE : 1;
  const system = await lab.perdure();
  const ids = Array.from({ length: count }, (_, index) => `sleeper-${index}`);
  const trial = await lab.generator.run({ kind: 'start', system: system.name, url: system.url, workflow: 'signalled', concurrency: STARTERS, ids: Array.from({ length: TRIAL }, (_, index) => `trial-${index}`) });
  const dueMs = Date.now() + AHEAD_MS * share + (count / TRIAL) * trial.elapsedMs * RESERVE;
  lab.say(`timers: ${count} runs that sleep until the same second …`);
  const sleepers = { system: system.name, url: system.url, workflow: 'sleeper', ids, counts: ids.map((_, index) => dueMs + Math.floor((index * SPREAD_MS) / count)) };
  assertRight(system, await lab.generator.run({ kind: 'start', concurrency: STARTERS, ...sleepers }));
  const others = (prefix: string) => measureWindow(lab.generator, system, { kind: 'run', system: system.name, url: system.url, workflow: 'fiveStep', prefix, concurrency: OTHERS, warmupMs: 0, measureMs: OTHERS_MS * share });
  const before = summarise([await others('warm'), await others('before')].slice(1));
  if (Date.now() > dueMs) throw new Error('timers: the machine is so slow that the first were due before all was ready');
  await sleep(dueMs - Date.now());
  const meanwhile = summarise([await others('while')]);
  await untilNone(system, 'timer');
  const { late, open } = await latenessOf(system, new Map(ids.map((id, index) => [id, sleepers.counts[index]!])));
  await lab.stop([system]);
  if (open > 0) throw new Error(`timers: ${open} of ${count} have not fired`);
  return {
    rows: [
      { workload: 'others before', concurrency: OTHERS, system: system.title, measured: before },
      { workload: 'others, timers firing', concurrency: OTHERS, system: system.title, measured: meanwhile },
    ],
    remarks: [
      `timers: all ${count} fired; late by p50 ${showNumber(late.p50)}, p95 ${showNumber(late.p95)}, p99 ${showNumber(late.p99)}, at most ${showNumber(late.max)} ms`,
      `timers: the p99 of other runs was ${showNumber(ratioOf(meanwhile.latencyMs.p99, before.latencyMs.p99))}× what it was before`,
    ],
  };
};

interface Page {
  readonly runs: readonly { readonly workflowId: string; readonly closedAt?: number }[];
  readonly next?: string;
}

/** From when each was due to when it closed, both by the server's clock. */
const latenessOf = async ({ url }: System, dueMs: ReadonlyMap<string, number>) => {
  const late: number[] = [];
  let open = dueMs.size;
  let cursor: string | undefined;
  do {
    const page = (await (await fetch(`${url}/v1/workflows?type=sleeper&limit=${PAGE}${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)).json()) as Page;
    for (const { workflowId, closedAt } of page.runs) {
      if (closedAt === undefined) continue;
      open -= 1;
      late.push(closedAt - dueMs.get(workflowId)!);
    }
    cursor = page.next;
  } while (cursor !== undefined);
  return { late: spreadOf(Float64Array.from(late)), open };
};
