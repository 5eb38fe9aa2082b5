import type { Lab } from '../lab.js';
import type { System } from '../systems/system.js';

const IN_FLIGHT = 64;
const KILL_AFTER_MS = 1_500;
const CHECKERS = 16;

/**
 * SIGKILL in the middle of a load, the same server over the same files, and every result that was ever acknowledged is read again.
 * @throws Error that names those lost
 */
export const survivesKill = async (lab: Lab, system: System, acknowledged: readonly string[]): Promise<string> => {
  const target = { system: system.name, url: system.url, workflow: 'fiveStep' };
  lab.say(`killing ${system.title} under load …`);
  let killed: Promise<void> | undefined;
  const kill = (): void => void setTimeout(() => (killed = system.killServer()), KILL_AFTER_MS);
  const load = await lab.generator.run({ kind: 'run', ...target, prefix: 'killed', concurrency: IN_FLIGHT, warmupMs: 0, measureMs: 10 * KILL_AFTER_MS }, { onMeasuring: kill });
  await killed;
  if (load.wrong.length > 0) throw new Error(`${system.title} answered what it should not before it was killed: ${load.wrong.join('; ')}`);
  await system.startServer();
  const ids = [...acknowledged, ...load.acknowledged];
  const { acknowledged: found, wrong, failures, elapsedMs } = await lab.generator.run({ kind: 'check', ...target, concurrency: CHECKERS, ids });
  if (found.length < ids.length) throw new Error(`${system.title} lost ${ids.length - found.length} of ${ids.length} acknowledged results: ${[...wrong, ...failures].join('; ')}`);
  return `${system.title}: killed with ${IN_FLIGHT} runs in flight and started again, it has all ${ids.length} acknowledged results (read in ${(elapsedMs / 1000).toFixed(1)} s)`;
};
