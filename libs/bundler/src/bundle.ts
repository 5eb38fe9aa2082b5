import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { basename, dirname, join, resolve } from 'node:path';
import { PerdureError, type BundleManifest } from '@perdure/contract';
import { type BuildFailure, type BuildOptions, type BuildResult, type Message, type Plugin, build } from 'esbuild';
import { evaluateManifest } from './evaluate.js';
import { forbidden, forbiddenChains } from './forbidden.js';
import { SCRIPT } from './script.js';
import { stablePaths } from './stable-paths.js';

export type BundleInput = (
  | {
      /** Path of the module that exports the workflows. */
      readonly entry: string;
    }
  | {
      /** TypeScript text of that module. */
      readonly source: string;
      /** Folder from which its imports are resolved. */
      readonly resolveDir: string;
      /** File name that errors and stacks show. Default `workflow.ts`. */
      readonly name?: string;
    }
) & {
  /** Default false: names stay as they are written. */
  readonly minify?: boolean;
};

export interface Bundle {
  /** One ES2023 script that defines the global `__perdure`. */
  readonly code: string;
  /** SHA-256 of `code`, hex: the bundle's name. */
  readonly hash: string;
  /** JSON; its sources are relative to the entry's folder. */
  readonly sourceMap: string;
  /** Names of the workflow types. */
  readonly workflows: readonly string[];
  readonly manifest: BundleManifest;
}

const USER_MODULE = 'perdure:user';

export interface Prepared {
  readonly options: BuildOptions & { metafile: true; write: false };
  /** Folder of the user's module, absolute. */
  readonly folder: string;
  /** The user's module as the metafile names it. */
  readonly entry: string;
}

/**
 * Bundles workflow code with the workflow runtime of its SDK. The same sources give the same bytes, wherever they lie on disk.
 *
 * @throws PerdureError `bundle-invalid`: it does not compile or evaluate, exports no workflow, or reaches what a workflow must not (the import chain is named).
 */
export const bundle = async (input: BundleInput): Promise<Bundle> => {
  const prepared = prepare(input);
  return finish(await build(prepared.options).catch(refuse), prepared);
};

export const prepare = (input: BundleInput): Prepared => {
  const file = 'entry' in input ? resolve(input.entry) : join(resolve(input.resolveDir), input.name ?? 'workflow.ts');
  const folder = dirname(file);
  const options: Prepared['options'] = {
    stdin: {
      // The runtime comes first: it captures and replaces built-ins before the user's modules are evaluated.
      contents: `import { registerBundle } from '@perdure/sdk/workflow-runtime';\nimport * as user from '${USER_MODULE}';\nregisterBundle(user);\n`,
      resolveDir: folder,
      sourcefile: 'perdure-entry.js',
    },
    bundle: true,
    write: false,
    metafile: true,
    format: 'iife',
    platform: 'neutral',
    target: 'es2023',
    mainFields: ['module', 'main'],
    conditions: ['@perdure/source'],
    // A path in code or map is relative to the entry's folder, so that neither names the machine.
    absWorkingDir: folder,
    outfile: join(folder, SCRIPT),
    sourcemap: 'external',
    sourcesContent: true,
    charset: 'utf8',
    legalComments: 'none',
    // Modules are strict; a script is not by itself.
    banner: { js: '"use strict";' },
    minify: input.minify ?? false,
    keepNames: input.minify ?? false,
    logLevel: 'silent',
    plugins: [userModule(file, 'source' in input ? input.source : undefined), runtimeOfProject(folder), forbidden()],
    // A tsconfig above the entry must not change the bytes or drop the rules of ES2023.
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: true, target: 'es2023' } },
  };
  return { options, folder, entry: basename(file) };
};

export const finish = (result: BuildResult<Prepared['options']>, { entry, folder }: Prepared): Bundle => {
  const chains = forbiddenChains(result.metafile, entry);
  if (chains.length > 0) throw new PerdureError('bundle-invalid', chains.join('\n'), { errors: chains });
  const paths = stablePaths(folder, Object.keys(result.metafile.inputs));
  const code = paths.code(outputOf(result, '.js'));
  const sourceMap = paths.map(outputOf(result, '.map'));
  const manifest = evaluateManifest(code, sourceMap);
  return { code, hash: createHash('sha256').update(code).digest('hex'), sourceMap, workflows: manifest.workflows, manifest };
};

const outputOf = (result: BuildResult<Prepared['options']>, ending: string): string => {
  const file = result.outputFiles.find(({ path }) => path.endsWith(ending));
  assert(file !== undefined, `esbuild gives a ${ending} file`);
  return file.text;
};

const userModule = (file: string, source: string | undefined): Plugin => ({
  name: 'perdure-user',
  setup(build) {
    build.onResolve({ filter: new RegExp(`^${USER_MODULE}$`) }, () => ({ path: file }));
    if (source === undefined) return;
    const literally = file.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    build.onLoad({ filter: new RegExp(`^${literally}$`) }, () => ({ contents: source, loader: 'ts', resolveDir: dirname(file) }));
  },
});

const SDK = /^@perdure\/sdk\/workflow(-runtime)?$/;

/** One copy of the runtime: the SDK that the entry's folder sees, whoever imports it; where it sees none, the one this package was built with. */
const runtimeOfProject = (folder: string): Plugin => ({
  name: 'perdure-runtime',
  setup(build) {
    build.onResolve({ filter: SDK }, async ({ path, kind, pluginData }) => {
      if (pluginData === SDK) return undefined;
      for (const resolveDir of [folder, import.meta.dirname]) {
        const found = await build.resolve(path, { kind, resolveDir, pluginData: SDK });
        if (found.errors.length === 0) return found;
      }
      return undefined;
    });
  },
});

/** What esbuild found wrong, as one error with file, line and column. */
export const refuse = (error: unknown): never => {
  const messages = (error as Partial<BuildFailure>).errors;
  if (!Array.isArray(messages)) throw error;
  const lines = messages.map(describe);
  throw new PerdureError('bundle-invalid', lines.join('\n'), { errors: lines });
};

const describe = ({ text, location }: Message): string => {
  const plain = text.includes('Top-level await') ? 'Top-level await is not possible in workflow code: a bundle is evaluated at once, before any run' : text;
  return location === null ? plain : `${location.file}:${location.line}:${location.column + 1}: ${plain}`;
};
