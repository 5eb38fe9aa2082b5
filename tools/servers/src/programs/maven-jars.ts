import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheKey, cached } from '../cache.js';
import { run } from '../run.js';
import type { Surroundings } from './program.js';
import { recipeFolder } from './recipe-folder.js';
import { requiredTool } from './required-tool.js';

export interface Jars {
  readonly name: string;
  readonly version: string;
  /** The folder under `java` whose pom.xml pins them. */
  readonly pom: string;
  readonly takes: string;
  readonly instead: string;
}

/** Fetches a Java program's jars, all in one folder, and gives that folder. */
export async function mavenJars(jars: Jars, { config, progress }: Surroundings): Promise<string> {
  const pom = await readFile(join(recipeFolder('java', jars.pom), 'pom.xml'), 'utf8');
  const folder = await cached({ cacheFolder: config.cacheFolder, key: cacheKey({ ...jars, inputs: [pom] }), progress }, async (making) => {
    const maven = requiredTool(config, { tool: 'mvn', why: `${jars.name} ${jars.version} is fetched with it; install Maven and Java, or ${jars.instead}` });
    await progress.step(`fetching ${jars.name} ${jars.version} with Maven (${jars.takes}, once)`, async () => {
      const lib = join(making, 'lib');
      await mkdir(lib);
      await writeFile(join(making, 'pom.xml'), pom);
      await run(maven, ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${lib}`, '-DincludeScope=runtime'], { cwd: making });
    });
  });
  return join(folder, 'lib');
}
