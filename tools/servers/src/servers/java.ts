import { dirname, join } from 'node:path';
import { executables } from '../programs/candidates.js';
import type { ServersConfig } from '../config.js';
import { run } from '../run.js';
import { ServerError } from '../server-error.js';
import { isAtLeast, showVersion, versionIn } from '../version.js';

/** The path of a Java of at least that version: JAVA_HOME's, or one on the PATH. */
export async function javaFor(what: string, { least, config, instead }: { readonly least: number; readonly config: ServersConfig; readonly instead: string }): Promise<string> {
  const homes = config.javaHome === undefined ? [] : [join(config.javaHome, 'bin')];
  const found = [...executables('java', { ...config, path: homes }), ...executables('java', config)];
  const refused: string[] = [];
  for (const path of found) {
    const version = versionIn(await run(path, ['-version'], { cwd: dirname(path) }).catch(() => ''));
    if (version && isAtLeast(version, [least])) return path;
    refused.push(version ? showVersion(version) : 'one that does not run');
  }
  throw new ServerError(`${what} needs Java ${least} or later${refused.length > 0 ? ` (found ${refused.join(', ')})` : ''}: install it or set JAVA_HOME, or ${instead}`);
}
