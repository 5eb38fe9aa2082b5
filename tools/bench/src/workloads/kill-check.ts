import type { LoadGenerator } from '../load-generator.js';
import type { System } from '../systems/system.js';

const CHECKING = 16;

/** SIGKILL, the same server over the same files, and every result that was acknowledged is read again. @throws Error that names those lost */
export const survivesKill = async (generator: LoadGenerator, system: System, ids: readonly string[]): Promise<string> => {
  await system.killServer();
  await system.startServer();
  const { acknowledged, wrong, elapsedMs } = await generator.run({ kind: 'check', system: system.name, url: system.url, workflow: 'fiveStep', concurrency: CHECKING, ids });
  if (acknowledged.length < ids.length) throw new Error(`${system.title} lost ${ids.length - acknowledged.length} of ${ids.length} acknowledged results: ${wrong.join('; ')}`);
  return `${system.title}: after SIGKILL and restart all ${ids.length} acknowledged results are there (read in ${(elapsedMs / 1000).toFixed(1)} s)`;
};
