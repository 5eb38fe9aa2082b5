import type { HistoryEvent, RunView } from '@perdure/contract';
import type { Client } from '@perdure/sdk/client';
import type { Acknowledgement, Evidence, Run } from '../oracle/evidence.js';
import { EVENT_SOURCE, EVENT_TYPE } from '../program/program.js';

const AT_ONCE = 16;

/** Every run that the server has, with its whole history, by workflow id. */
export const collectRuns = async (client: Client): Promise<Evidence['runs']> => {
  const views: RunView[] = [];
  for await (const view of client.list()) views.push(view);
  const runs: Run[] = [];
  const left = views.values();
  const collect = async (): Promise<void> => {
    for (const view of left) runs.push(await collectRun(client, view));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, collect));
  return new Map([...Map.groupBy(runs, ({ workflowId }) => workflowId)].map(([workflowId, all]) => [workflowId, inOrder(all)]));
};

/** Sends acknowledged events once more: whoever is not told that it is a duplicate was forgotten. */
export const collectForgotten = async (client: Client, acknowledgements: readonly Acknowledgement[]): Promise<readonly string[]> => {
  const ids = new Set(acknowledgements.filter(({ kind }) => kind === 'event').map((line) => ('id' in line ? line.id : '')));
  const forgotten: string[] = [];
  const left = ids.values();
  const ask = async (): Promise<void> => {
    for (const id of left) {
      const told = await client.publish({ type: EVENT_TYPE, source: EVENT_SOURCE, id }).catch(String);
      if (told !== 'duplicate') forgotten.push(`${id} (asked again: ${told})`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return forgotten;
};

const collectRun = async (client: Client, view: RunView): Promise<Run> => {
  const { tenant, workflowId, runId } = view;
  const events: HistoryEvent[] = [];
  for await (const event of client.run(workflowId, runId).history()) events.push(event);
  return { tenant, workflowId, runId, events, view };
};

/** A chain from its first run on; what does not hang together comes last. */
const inOrder = (runs: readonly Run[]): Run[] => {
  const ordered: Run[] = [];
  const left = new Set(runs);
  for (let next = runs.find(({ view }) => view.continuedFrom === undefined); next; next = runs.find((run) => left.has(run) && run.view.continuedFrom === ordered.at(-1)!.runId)) {
    ordered.push(next);
    left.delete(next);
  }
  return [...ordered, ...left];
};
