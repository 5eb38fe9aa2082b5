import { cp, mkdir, rm } from 'node:fs/promises';
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
  /** For the person who waits. */
  readonly takes: string;
  readonly instead: string;
}

const GO_FOLDERS = ['/usr/local/go/bin'];

/** Builds a Go program at the versions its module pins. */
export async function goTool(tool: GoTool, { config, progress }: Surroundings): Promise<string> {
  const recipe = recipeFolder('go', tool.module);
  const key = await cacheKey(tool.name, tool.version, [join(recipe, 'go.mod'), join(recipe, 'go.sum')]);
  const folder = await cached(config.cacheFolder, key, async (making) => {
    const go = requiredTool(config, { tool: 'go', why: `${tool.name} ${tool.version} is built with Go; install Go, or ${tool.instead}`, elsewhere: GO_FOLDERS });
    await progress.step(`building ${tool.name} ${tool.version} with Go (${tool.takes}, once)`, async () => {
      // A copy, so that no setting of the user's makes Go write into the repository.
      const module = join(making, 'module');
      await mkdir(module);
      await cp(recipe, module, { recursive: true });
      const tags = tool.buildTags === undefined ? [] : ['-tags', tool.buildTags];
      await run(go, ['build', ...tags, '-trimpath', '-ldflags', '-s -w', '-o', join(making, tool.name), tool.package], { cwd: module, env: { CGO_ENABLED: '0' } });
      await rm(module, { recursive: true });
    });
  });
  return join(folder, tool.name);
}
