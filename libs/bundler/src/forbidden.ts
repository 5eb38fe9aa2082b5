import { builtinModules } from 'node:module';
import type { Metafile, Plugin } from 'esbuild';

const BUILTINS = new Set(builtinModules);
const NAMESPACE = 'perdure-forbidden';

const isBuiltin = (path: string): boolean => path.startsWith('node:') || BUILTINS.has(path) || BUILTINS.has(path.split('/')[0] ?? '');
const isActivities = (path: string): boolean => /\.activities(\.[cm]?[jt]sx?)?$/.test(path);
const isWorkerSide = (path: string): boolean => /^@perdure\/sdk\/(?!workflow(-runtime)?$)/.test(path);

/**
 * Lets the build go on past what workflow code must not reach, so that the whole import graph is known afterwards; `forbiddenChains` reads it. Imports of types
 * alone never come here.
 */
export const forbidden = (): Plugin => ({
  name: 'perdure-forbidden',
  setup(build) {
    build.onResolve({ filter: /.*/ }, ({ path, kind }) => {
      if (kind === 'entry-point') return undefined;
      return isBuiltin(path) || isActivities(path) || isWorkerSide(path) ? { path, namespace: NAMESPACE } : undefined;
    });
    // CommonJS, so that no import of a name fails before the chain is known.
    build.onLoad({ filter: /.*/, namespace: NAMESPACE }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
  },
});

/** One shortest chain of imports for each forbidden module that is reached, in words. */
export const forbiddenChains = (metafile: Metafile, entry: string): string[] => {
  const cameFrom = new Map<string, string | undefined>([[entry, undefined]]);
  const queue = [entry];
  for (const file of queue) {
    for (const { path } of metafile.inputs[file]?.imports ?? []) {
      if (cameFrom.has(path)) continue;
      cameFrom.set(path, file);
      queue.push(path);
    }
  }
  return queue.filter((path) => path.startsWith(`${NAMESPACE}:`)).map((path) => `${chainTo(path, cameFrom)}: ${whyForbidden(path.slice(NAMESPACE.length + 1))}`);
};

const chainTo = (path: string, cameFrom: ReadonlyMap<string, string | undefined>): string => {
  const chain: string[] = [];
  for (let at: string | undefined = path; at !== undefined; at = cameFrom.get(at)) {
    const shown = shownAs(at);
    if (chain[0] !== shown) chain.unshift(shown);
  }
  return chain.join(' → ');
};

/** A file of a package is shown by the package's name, a file of the user's by its path. */
const shownAs = (path: string): string => {
  if (path.startsWith(`${NAMESPACE}:`)) return path.slice(NAMESPACE.length + 1);
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path;
};

const whyForbidden = (path: string): string => {
  if (isBuiltin(path)) return 'workflow code cannot use Node APIs; do it in an activity';
  if (isActivities(path)) return 'activities run on a worker; import their types only (`import type * as …`)';
  return "this part of the SDK is for workers and clients; workflow code imports '@perdure/sdk/workflow'";
};
