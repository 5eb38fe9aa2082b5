import type { Session } from '../cli.js';
import { whySuspended } from '../show/timeline.js';

/** How often it is asked whether the run waits for an operator. */
const LOOK_MS = 1_000;

/** Waits for a run's result, and says when there will be none until somebody resumes it. */
export const resultOf = async ({ client, terminal }: Session, ...[workflowId, runId]: readonly [workflowId: string, runId?: string]): Promise<unknown> => {
  const run = client.run(workflowId, runId);
  let told: string | undefined;
  const look = async (): Promise<void> => {
    const { suspended, runId: now } = await run.describe();
    if (suspended && told !== now) terminal.err(`perdure: "${workflowId}" is suspended, ${whySuspended(suspended)}\n(it goes on when it is resumed: perdure help resume)`);
    told = suspended && now;
  };
  // What it cannot find out, the result's own error says.
  const looking = setInterval(() => void look().catch(() => undefined), LOOK_MS);
  try {
    return await run.result();
  } finally {
    clearInterval(looking);
  }
};
