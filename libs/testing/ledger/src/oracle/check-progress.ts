import { isClosed } from '@perdure/contract';
import { familyOf } from '../program/program.js';
import type { Evidence, Finding } from './evidence.js';

/** Nothing is stuck, and nothing is kept for runs that have ended. */
export const checkProgress = ({ programs, runs, acknowledgements, leftovers }: Evidence): Finding[] => {
  const started = new Set(acknowledgements.filter(({ kind }) => kind === 'started').map(({ program }) => program));
  const missing = programs.filter(({ name }) => !started.has(name)).map(({ name }) => `${name}: its start was never acknowledged`);
  const known = new Set(programs.flatMap((program) => familyOf(program).map(({ name }) => name)));
  const unknown = [...runs.keys()].filter((workflowId) => !known.has(workflowId)).map((workflowId) => `${workflowId}: nobody asked for such a run`);
  const open = [...runs.values()].flat().filter(({ view }) => !isClosed(view.status)).map(({ workflowId, runId, view, events }) => `${workflowId} (run ${runId}): is ${view.status}, last event ${JSON.stringify(events.at(-1))?.slice(0, 300)}`);
  return [...missing, ...unknown, ...open, ...leftovers].map((what) => ({ oracle: 'progress', what }));
};
