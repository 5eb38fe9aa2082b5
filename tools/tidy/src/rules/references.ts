import { posix } from 'node:path';
import ts from 'typescript';
import type { Finding, Package, Rule, Workspace } from '../workspace.js';

/** TypeScript builds by references and npm links by dependencies; a difference works on one machine and fails on the next. */
export const references: Rule = {
  name: 'references',
  check: (workspace) => [...rootReferences(workspace), ...workspace.packages.flatMap((each) => packageReferences(each, workspace))],
};

function referencesIn(file: string, workspace: Workspace): string[] | undefined {
  const text = workspace.files.get(file);
  if (text === undefined) return undefined;
  const config = ts.parseConfigFileTextToJson(file, text).config as { references?: { path: string }[] } | undefined;
  return (config?.references ?? []).map(({ path }) => posix.join(posix.dirname(file), path).replace(/\/(tsconfig\.json)?$/, ''));
}

function rootReferences(workspace: Workspace): Finding[] {
  const listed = referencesIn('tsconfig.json', workspace) ?? [];
  const folders = workspace.packages.map(({ folder }) => folder);
  return [
    ...folders.filter((folder) => !listed.includes(folder)).map((folder) => ({ file: 'tsconfig.json', why: `does not list ${folder}` })),
    ...listed.filter((folder) => !folders.includes(folder)).map((folder) => ({ file: 'tsconfig.json', why: `lists ${folder}, which is no package` })),
  ];
}

function packageReferences({ folder, manifest }: Package, workspace: Workspace): Finding[] {
  const file = `${folder}/tsconfig.json`;
  const listed = referencesIn(file, workspace);
  if (!listed) return [{ file, why: 'missing' }];
  const declared = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies };
  const wanted = workspace.packages.filter(({ name }) => name in declared).map((each) => each.folder);
  return [
    ...wanted.filter((path) => !listed.includes(path)).map((path) => ({ file, why: `does not reference ${path}, which package.json depends on` })),
    ...listed.filter((path) => !wanted.includes(path)).map((path) => ({ file, why: `references ${path}, which package.json does not depend on` })),
  ];
}
