import { posix } from 'node:path';
import type { Package } from './workspace.js';

/** The source files that a package's `exports`, `main` and `bin` name; a built file stands for its source. */
export function exportedSources({ folder, manifest, files }: Package): ReadonlySet<string> {
  const named = [...leaves(manifest.exports), ...leaves(manifest.bin), ...leaves(manifest.main)];
  return new Set(named.map((path) => sourceOf(posix.join(folder, path))).filter((path) => files.has(path)));
}

const sourceOf = (path: string): string => path.replace(/\/dist\//, '/src/').replace(/(\.d)?\.(js|ts)$/, '.ts');

function leaves(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [];
}
