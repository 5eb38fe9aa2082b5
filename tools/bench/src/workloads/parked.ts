import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../lab.js';
import { usageOf } from '../process-usage.js';
import { shuffled } from '../shuffled.js';
import { sumOverShards, untilNone } from '../systems/perdure-files.js';
import type { System } from '../systems/system.js';
import { showNumber } from '../table.js';
import { assertRight, measureWindow, summarise } from '../window.js';
import type { Outcome } from './outcome.js';

const RUNS = 100_000;
const WOKEN = 10_000;
const BLOCKS = 10;
const QUICK_SHARE = 0.005;
const STARTERS = 64;
const WAKERS = 16;
const SEED = 7;
/** After a start the process settles: code is compiled, memory that opening took is given back. */
const SETTLE_MS = 3_000;

/**
 * 100,000 runs wait, each with two finished activities and 1 KB of local state that no history holds. The server is killed and started
 * again; what it takes by then is what they cost. 10,000 are woken in random order, and what each returns must hold its state.
 */
export const parked = async (lab: Lab): Promise<Outcome> => {
  if (!lab.has('perdure')) return { rows: [], remarks: [] };
  const share = lab.options.quick ? QUICK_SHARE : 1;
  const system = await lab.perdure();
  const empty = await restartedRss(system);
  const ids = Array.from({ length: RUNS * share }, (_, index) => `parked-${index}`);
  const blocks = await startInBlocks(lab, system, ids);
  const full = await restartedRss(system);
  const { snapshots = 0, bytes = 0 } = sumOverShards(system, 'select count(*) as snapshots, coalesce(sum(length(body)), 0) as bytes from snapshot');
  const woken = shuffled(ids, SEED).slice(0, WOKEN * share);
  lab.say(`parked: waking ${woken.length} in random order …`);
  const window = await measureWindow(lab.generator, system, { kind: 'wake', system: system.name, url: system.url, workflow: 'parked', concurrency: WAKERS, ids: woken });
  await lab.stop([system]);
  return {
    rows: [{ workload: 'parked, woken', concurrency: WAKERS, system: system.title, measured: summarise([window]) }],
    remarks: [
      `parked: ${ids.length} runs: ${showNumber(Math.max(0, full - empty) / ids.length)} bytes of process memory each after a restart (${showNumber(full / 2 ** 20)} MB in all, ${showNumber(empty / 2 ** 20)} MB without them)`,
      `parked: ${snapshots} snapshots of ${showNumber(bytes / Math.max(1, snapshots))} bytes on average`,
      `parked: by tenth, starts a second until each of them waits: ${blocks.map(({ ratePerS }) => showNumber(ratePerS)).join(' ')}; the server's CPU ms for each: ${blocks.map(({ cpuMs }) => showNumber(cpuMs)).join(' ')}`,
      `parked: all ${woken.length} woken runs returned their 1 KB of state`,
    ],
  };
};

const restartedRss = async (system: System): Promise<number> => {
  await system.killServer();
  await system.startServer();
  await sleep(SETTLE_MS);
  return usageOf(system.pids()['server']!).rssBytes;
};

interface Block {
  readonly ratePerS: number;
  /** The server's, for each run: a busy machine changes it less than the rate. */
  readonly cpuMs: number;
}

const startInBlocks = async (lab: Lab, system: System, ids: readonly string[]): Promise<Block[]> => {
  const size = ids.length / BLOCKS;
  const cpuS = (): number => usageOf(system.pids()['server']!).cpuS;
  const blocks: Block[] = [];
  for (let from = 0; from < ids.length; from += size) {
    lab.say(`parked: starting ${from} to ${from + size} …`);
    const startedAt = performance.now();
    const cpuBefore = cpuS();
    assertRight(system, await lab.generator.run({ kind: 'start', system: system.name, url: system.url, workflow: 'parked', concurrency: STARTERS, ids: ids.slice(from, from + size) }));
    await untilNone(system, 'task');
    blocks.push({ ratePerS: (size * 1000) / (performance.now() - startedAt), cpuMs: ((cpuS() - cpuBefore) * 1000) / size });
  }
  return blocks;
};
