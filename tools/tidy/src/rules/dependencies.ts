import { isBuiltin } from 'node:module';
import { importsOf } from '../source.js';
import { type Finding, isData, isSpec, type Package, type Rule, type Workspace } from '../workspace.js';

/** Declared without being imported, each for a reason. */
const UNIMPORTED: Readonly<Record<string, string>> = {
  rxjs: 'a peer of @nestjs/common and @nestjs/core',
  'reflect-metadata': 'a peer of @nestjs/common and @nestjs/core',
  '@nestjs/platform-fastify': 'loaded by name when Nest starts',
  '@perdure/sdk-testing': 'imported as @perdure/sdk/testing',
};

/** What every spec may use: the root's own development tools. */
const toolsOf = ({ files }: Workspace): readonly string[] => {
  const root = JSON.parse(files.get('package.json') ?? '{}') as { devDependencies?: Record<string, string> };
  return Object.keys(root.devDependencies ?? {});
};

export const dependencies: Rule = {
  name: 'dependencies',
  check: (workspace) => {
    const tools = toolsOf(workspace);
    return workspace.packages.flatMap((each) => [...undeclared(each, tools), ...unused(each), ...inexact(each)]);
  },
};

interface Import {
  readonly file: string;
  readonly name: string;
}

function importsIn({ files, folder, name: self }: Package): Import[] {
  return [...files]
    .filter(([path]) => path.startsWith(`${folder}/`) && path.endsWith('.ts') && !isData(path))
    .flatMap(([file, text]) => importsOf(file, text).map((module) => ({ file, name: packageOf(module) })))
    .filter(({ name }) => name !== '' && name !== self);
}

/** `@scope/name/path` → `@scope/name`; empty for a relative path, a Node module or a bundler's own scheme. */
function packageOf(module: string): string {
  if (!/^(@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*(\/|$)/.test(module) || isBuiltin(module)) return '';
  return module.split('/').slice(0, module.startsWith('@') ? 2 : 1).join('/');
}

function undeclared(each: Package, tools: readonly string[]): Finding[] {
  const { dependencies: running = {}, devDependencies: developing = {}, peerDependencies: peers = {}, optionalDependencies: optional = {} } = each.manifest;
  const isDeclared = ({ file, name }: Import): boolean => {
    if (name in running || name in peers || name in optional) return true;
    return isTest(file) && (name in developing || tools.includes(name));
  };
  return importsIn(each)
    .filter((found) => !isDeclared(found))
    .map(({ file, name }) => ({ file, why: `imports ${name}, which ${each.folder}/package.json does not declare${isTest(file) ? '' : ' in dependencies'}` }));
}

const isTest = (path: string): boolean => isSpec(path) || /\/(e2e|testing)\//.test(path);

function unused(each: Package): Finding[] {
  const imported = new Set(importsIn(each).map(({ name }) => name));
  const { dependencies: running = {}, devDependencies: developing = {} } = each.manifest;
  return Object.keys({ ...running, ...developing })
    .filter((name) => !imported.has(name) && !(name in UNIMPORTED) && !imported.has(typedBy(name)))
    .map((name) => ({ file: `${each.folder}/package.json`, why: `declares ${name}, which nothing imports` }));
}

/** `@types/a` describes a, `@types/a__b` describes @a/b. */
const typedBy = (name: string): string => name.replace(/^@types\/(\w+)__/, '@$1/').replace(/^@types\//, '');

function inexact({ folder, manifest }: Package): Finding[] {
  return Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => ({ file: `${folder}/package.json`, why: `${name} at "${version}", should be one exact version` }));
}
