import type { Lab } from '../lab.js';
import type { Row } from '../report.js';
import { assertRight, measureWindow, summarise, type Window } from '../window.js';
import type { System } from '../systems/system.js';
import type { Outcome } from './outcome.js';

const PARKED = 10_000;
const PARKED_QUICK = 200;
/** Runs woken in one turn of a system. */
const TURN = { 1: 100, 16: 900 } as const;
const STARTERS = 32;

/** 10,000 runs wait for a signal; each is sent it and its result awaited, one at a time and sixteen at a time, the systems in turns. */
export const signal = async (lab: Lab): Promise<Outcome> => {
  const systems = await lab.asked();
  const count = lab.options.quick ? PARKED_QUICK : PARKED;
  const ids = Array.from({ length: count }, (_, index) => `signal-${index}`);
  const remarks: string[] = [];
  for (const system of systems) {
    lab.say(`signal: parking ${count} runs in ${system.title} …`);
    const { elapsedMs, ...started } = await lab.generator.run({ kind: 'start', system: system.name, url: system.url, workflow: 'signalled', concurrency: STARTERS, ids });
    assertRight(system, { elapsedMs, ...started });
    remarks.push(`signal: ${system.title} took ${Math.round((count / elapsedMs) * 1000)} starts a second of runs that wait`);
  }
  const rows = await wakeInTurns(lab, systems, ids);
  await lab.stop(systems);
  return { rows, remarks };
};

const wakeInTurns = async (lab: Lab, systems: readonly System[], ids: readonly string[]): Promise<Row[]> => {
  const scale = ids.length / PARKED;
  const windows = new Map<string, { readonly system: System; readonly concurrency: number; readonly each: Window[] }>();
  lab.say('signal: waking them …');
  let from = 0;
  while (from < ids.length) {
    for (const concurrency of [1, 16] as const) {
      const turn = ids.slice(from, from + Math.ceil(TURN[concurrency] * scale));
      from += turn.length;
      for (const system of systems) {
        const window = await measureWindow(lab.generator, system, { kind: 'wake', system: system.name, url: system.url, workflow: 'signalled', concurrency, ids: turn });
        const key = `${system.title} ${concurrency}`;
        const found = windows.get(key) ?? { system, concurrency, each: [] };
        found.each.push(window);
        windows.set(key, found);
      }
    }
  }
  return [...windows.values()].sort((a, b) => a.concurrency - b.concurrency).map(({ system, concurrency, each }) => ({ workload: 'signal', concurrency, system: system.title, measured: summarise(each) }));
};
