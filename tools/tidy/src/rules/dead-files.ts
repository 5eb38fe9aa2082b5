import { posix } from 'node:path';
import { exportedSources } from '../package-entries.js';
import { stringsOf } from '../source.js';
import { type Finding, isData, isSpec, type Package, type Rule } from '../workspace.js';

/** Programs that no file names: an app's entry, which `npm start` or a platform runs. */
const PROGRAM = /\/src\/main\.ts$/;

export const deadFiles: Rule = {
  name: 'dead-files',
  check: ({ packages, files }) => packages.flatMap((each) => deadIn(each, setUpBy(files))),
};

/** What jest runs before each spec, by the configurations at the root. */
function setUpBy(files: ReadonlyMap<string, string>): ReadonlySet<string> {
  const configs = [...files].filter(([path]) => /^jest\.([\w-]+\.)?config\.js$/.test(path));
  return new Set(configs.flatMap(([path, text]) => stringsOf(path, text)).map((text) => text.replace('<rootDir>/', '')));
}

function deadIn(each: Package, setUp: ReadonlySet<string>): Finding[] {
  const sources = [...each.files.keys()].filter((path) => path.startsWith(`${each.folder}/src/`) && path.endsWith('.ts') && !path.endsWith('.d.ts') && !isData(path));
  const exported = exportedSources(each);
  const roots = sources.filter((path) => exported.has(path) || PROGRAM.test(path) || isSpec(path) || setUp.has(path));
  const reached = new Set(roots);
  for (const path of reached) for (const next of mentionedBy(path, each)) reached.add(next);
  return sources.filter((path) => !reached.has(path)).map((file) => ({ file, why: 'nothing but its own spec reaches it: export it, use it or delete it' }));
}

/** What a file leads to, by any string it writes: an import, a worker's entry, a bundle's entry. A spec does not keep its own subject alive. */
function mentionedBy(from: string, { files, folder }: Package): string[] {
  const subject = isSpec(from) ? from.replace(/(\.int|\.e2e|\.mesh)?\.spec\.ts$/, '.ts') : undefined;
  return stringsOf(from, files.get(from) ?? '')
    .filter((text) => /\.(js|ts)$/.test(text))
    .flatMap((text) => candidates(text, { from, folder, paths: files }))
    .filter((path) => path !== subject);
}

function candidates(text: string, { from, folder, paths }: { from: string; folder: string; paths: ReadonlyMap<string, string> }): string[] {
  const path = text.replace(/\.js$/, '.ts');
  if (path.startsWith('.')) return [posix.join(posix.dirname(from), path), posix.join(folder, path)].map((each) => each.replace('/dist/', '/src/')).filter((each) => paths.has(each));
  return [...paths.keys()].filter((each) => each.endsWith(`/${path}`));
}
