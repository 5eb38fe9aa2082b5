import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

/**
 * Code and map name the files they come from by their path as seen from the entry's folder. A package may lie anywhere, so that its path differs from machine to
 * machine: its files are named by the package's name and the path in it instead. Only whole comments and CommonJS keys of the code are touched, line by line, so the map
 * still holds.
 */
export const stablePaths = (folder: string, inputs: readonly string[]): { code(text: string): string; map(json: string): string } => {
  const own = packageOf(folder)?.folder;
  const stable = new Map(inputs.map((input) => [input, nameOf(folder, input, own)] as const));
  return {
    code: (text) =>
      text
        .split('\n')
        .map((line) => {
          const [, start = '', path = '', end = ''] = /^(\s*(?:\/\/ |"))([^"]+?)("\(.*)?$/.exec(line) ?? [];
          const name = stable.get(path);
          return name === undefined ? line : `${start}${name}${end}`;
        })
        .join('\n'),
    map: (json) => {
      const map = JSON.parse(json) as { sources: string[] };
      map.sources = map.sources.map((source) => stable.get(source) ?? source);
      return JSON.stringify(map);
    },
  };
};

const nameOf = (folder: string, input: string, own: string | undefined): string => {
  const file = resolve(folder, input);
  const owner = packageOf(dirname(file));
  if (owner === undefined || owner.folder === own) return input;
  return `${owner.name}/${relative(owner.folder, file).split(sep).join('/')}`;
};

/** The nearest package that has a name. */
const packageOf = (from: string): { readonly folder: string; readonly name: string } | undefined => {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    const name = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }).name : undefined;
    if (typeof name === 'string') return { folder, name };
    if (dirname(folder) === folder) return undefined;
  }
};
