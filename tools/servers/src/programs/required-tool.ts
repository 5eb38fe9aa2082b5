import type { ServersConfig } from '../config.js';
import { ServerError } from '../server-error.js';
import { executables } from './candidates.js';

export interface Need {
  readonly tool: string;
  /** What it is needed for and what to do without it, as the end of a sentence. */
  readonly why: string;
  readonly elsewhere?: readonly string[];
}

/** The path of a tool that something is made with. */
export function requiredTool(config: ServersConfig, { tool, why, elsewhere = [] }: Need): string {
  const [found] = executables(tool, config, elsewhere);
  if (found === undefined) throw new ServerError(`there is no ${tool} on the PATH: ${why}`);
  return found;
}
