import { serversConfig } from '../config.js';
import { LineProgress } from '../progress.js';
import { isAtLeast, showVersion, versionIn } from '../version.js';
import type { Candidate, Program, ProgramRecipe, Surroundings } from './program.js';

/** The machine's own program if it has one that is not too old, else the cache's, else it is fetched or built into the cache. */
export async function obtain(recipe: ProgramRecipe, { config = serversConfig(), progress = new LineProgress() }: Partial<Surroundings> = {}): Promise<Program> {
  for (const candidate of recipe.candidates(config)) {
    const version = await versionOf(candidate);
    if (!version) continue;
    if (isAtLeast(version, recipe.versionMin)) return { name: recipe.name, version: showVersion(version), path: candidate.path, from: 'machine' };
    progress.note(`${candidate.path} is ${recipe.name} ${showVersion(version)}, which is too old: ${showVersion(recipe.versionMin)} or later is needed`);
  }
  return { name: recipe.name, version: recipe.fetched.version, path: await recipe.fetched.fetch({ config, progress }), from: 'cache' };
}

/** A program that does not even tell its version is passed over. */
async function versionOf(candidate: Candidate): Promise<readonly number[] | undefined> {
  const said = await candidate.version().catch(() => '');
  return versionIn(said);
}
