import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface ServersConfig {
  /** Where fetched and built programs are kept, outside the repository: PERDURE_CACHE. */
  readonly cacheFolder: string;
  /** The folders of PATH. */
  readonly path: readonly string[];
  readonly home: string;
  readonly javaHome: string | undefined;
}

export function serversConfig(env: NodeJS.ProcessEnv = process.env): ServersConfig {
  const home = env['HOME'] ?? homedir();
  return Object.freeze({
    cacheFolder: env['PERDURE_CACHE'] || join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'perdure'),
    path: (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''),
    home,
    javaHome: env['JAVA_HOME'] || undefined,
  });
}
