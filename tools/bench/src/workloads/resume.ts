import type { Lab } from '../lab.js';
import { ratioOf, spreadOf } from '../statistics.js';
import { untilNone } from '../systems/perdure-files.js';
import type { System } from '../systems/system.js';
import { showNumber } from '../table.js';
import { assertRight, measureWindow, summarise } from '../window.js';
import type { Outcome } from './outcome.js';

/** Started, two events an activity; the signal comes when it is woken. */
const ACTIVITIES = { short: 9, long: 999 } as const;
const PAIRS = 100;
const PAIRS_QUICK = 5;
/** Not compared: the process has just started. */
const WARMUP_PAIRS = 10;
/** More than there are live realms, so that those of the runs in question leave memory. */
const EVICTING = 1_500;
const STARTERS = 32;

/** Runs of 20 and of 2,000 events, all out of memory, woken in turns: how long each takes to come back and end. */
export const resume = async (lab: Lab): Promise<Outcome> => {
  if (!lab.has('perdure')) return { rows: [], remarks: [] };
  const pairs = lab.options.quick ? PAIRS_QUICK : PAIRS + WARMUP_PAIRS;
  const warmup = lab.options.quick ? 0 : WARMUP_PAIRS;
  const system = await lab.perdure();
  const ids = Array.from({ length: pairs }, (_, index) => [`short-${index}`, `long-${index}`]).flat();
  const counts = ids.map((id) => (id.startsWith('short') ? ACTIVITIES.short : ACTIVITIES.long));
  lab.say(`resume: ${pairs} runs of 20 events and as many of 2,000 …`);
  await start(lab, system, { workflow: 'counted', ids, counts });
  await untilNone(system, 'task');
  await start(lab, system, { workflow: 'signalled', ids: Array.from({ length: EVICTING }, (_, index) => `evicting-${index}`) });
  await system.killServer();
  await system.startServer();
  lab.say('resume: waking them …');
  const window = await measureWindow(lab.generator, system, { kind: 'wake', system: system.name, url: system.url, workflow: 'counted', concurrency: 1, ids, counts });
  await lab.stop([system]);
  const of = (parity: number) => spreadOf(window.load.latenciesMs.filter((_, index) => index % 2 === parity && index >= 2 * warmup));
  const [short, long] = [of(0), of(1)];
  return {
    rows: [{ workload: 'resume', concurrency: 1, system: system.title, measured: summarise([window]) }],
    remarks: [`resume: a run of 2,000 events takes ${showNumber(ratioOf(long.p50, short.p50))}× the time of one of 20 (p50 ${showNumber(long.p50)} and ${showNumber(short.p50)} ms, p95 ${showNumber(long.p95)} and ${showNumber(short.p95)} ms)`],
  };
};

const start = async (lab: Lab, system: System, runs: { readonly workflow: string; readonly ids: readonly string[]; readonly counts?: readonly number[] }): Promise<void> =>
  assertRight(system, await lab.generator.run({ kind: 'start', system: system.name, url: system.url, concurrency: STARTERS, ...runs }));
