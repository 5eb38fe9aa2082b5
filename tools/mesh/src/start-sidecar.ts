import { readFile } from 'node:fs/promises';
import type { ServerProcess } from '@perdure/servers';

/** What PostgreSQL tells all but one of those that make a table of a new database at the same time, `if not exists` or not. */
const LOST_THE_RACE = /"dapr_\w+" already exists|pg_type_typname_nsp_index/;
const STARTS_MAX = 3;

/**
 * Starts a sidecar, again when it has ended because another one was making the tables of Dapr's state in that moment. daprd does not try again by itself: it leaves that to
 * who has started it, as Kubernetes does.
 */
export const startSidecar = async (start: () => Promise<ServerProcess>, { logFile }: { readonly logFile: string }): Promise<ServerProcess> => {
  for (let starts = 1; ; starts++) {
    const before = (await logOf(logFile)).length;
    try {
      return await start();
    } catch (error) {
      const told = (await logOf(logFile)).slice(before);
      if (starts === STARTS_MAX || !LOST_THE_RACE.test(told)) throw error;
    }
  }
};

/** Nothing while there is none. */
const logOf = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
