import { cp, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheKey, cached } from '../cache.js';
import { run } from '../run.js';
import type { Surroundings } from './program.js';
import { recipeFolder } from './recipe-folder.js';
import { requiredTool } from './required-tool.js';

export interface GoTool {
  readonly name: string;
  readonly version: string;
  /** The folder under `go` whose go.mod and go.sum pin it. */
  readonly module: string;
  readonly package: string;
  readonly buildTags?: string;
  /** The variable in which its own release build writes the version that it tells. */
  readonly versionVariable?: string;
  /** For the person who waits. */
  readonly takes: string;
  /** What to do without Go, as the end of a sentence. */
  readonly instead: string;
}

/** Go's own installer leaves PATH to the user. */
const GO_FOLDERS = ['/usr/local/go/bin'];

/** The user's settings for modules of their own are not for these. */
const GO_ENV = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' };

/** Builds a Go program at the versions its module pins. */
export async function goTool(tool: GoTool, { config, progress }: Surroundings): Promise<string> {
  const recipe = recipeFolder('go', tool.module);
  const args = buildArguments(tool);
  const inputs = [...args, ...(await Promise.all((await readdir(recipe)).sort().map((file) => readFile(join(recipe, file), 'utf8'))))];
  const folder = await cached({ cacheFolder: config.cacheFolder, key: cacheKey({ ...tool, inputs }), progress }, async (making) => {
    const go = requiredTool(config, { tool: 'go', why: `${tool.name} ${tool.version} is built with it; install Go, or ${tool.instead}`, elsewhere: GO_FOLDERS });
    await progress.step(`building ${tool.name} ${tool.version} with Go (${tool.takes}, once)`, async () => {
      // A copy, since Go may write into a module's folder.
      const module = join(making, 'module');
      await mkdir(module);
      await cp(recipe, module, { recursive: true });
      await run(go, ['build', '-o', join(making, tool.name), ...args], { cwd: module, env: GO_ENV });
      await rm(module, { recursive: true });
    });
  });
  return join(folder, tool.name);
}

function buildArguments({ version, package: name, buildTags, versionVariable }: GoTool): string[] {
  const told = versionVariable === undefined ? '' : ` -X ${versionVariable}=${version}`;
  return [...(buildTags === undefined ? [] : ['-tags', buildTags]), '-trimpath', '-ldflags', `-s -w${told}`, name];
}
