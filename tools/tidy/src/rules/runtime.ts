import { isBuiltin } from 'node:module';
import { importsOf } from '../source.js';
import { isData, isSpec, type Rule } from '../workspace.js';

/** Lint keeps a package for any runtime from depending on one for Node; this keeps it from Node's own modules. Its tests run on Node. */
export const runtime: Rule = {
  name: 'runtime',
  check: ({ packages }) =>
    packages
      .filter(({ manifest }) => !manifest.nx?.tags?.includes('runtime:node'))
      .flatMap(({ folder, files }) => [...files].filter(([path]) => path.startsWith(`${folder}/src/`) && path.endsWith('.ts') && !isSpec(path) && !isData(path)))
      .flatMap(([file, text]) => importsOf(file, text).filter(isBuiltin).map((module) => ({ file, why: `imports ${module} in a package that is not tagged runtime:node` }))),
};
