import { isCode, isData, type Rule } from '../workspace.js';

const PLACES = ['/ho' + 'me/\\w', '/Us' + 'ers/\\w', '/ro' + 'ot/', '/wo' + 'rk/(main|shared)\\b', '[A-Z]:\\\\+Us' + 'ers'];
const PATH = new RegExp(`(^|[^\\w.:/-])(${PLACES.join('|')})`);
const SCRATCH = new RegExp(`(^|[^\\w.:/-])/t` + 'mp/');
const REGISTRY = new RegExp(['registry\\.' + 'npmjs\\.org', 'registry\\.' + 'yarnpkg\\.com', '"resolved": "' + 'https?:', 'npm\\.pkg\\.' + 'github\\.com'].join('|'));

/** The clone runs on any machine and behind any mirror. */
export const machinePaths: Rule = {
  name: 'machine-paths',
  check: ({ files }) =>
    [...files].filter(([path]) => !isData(path)).flatMap(([file, text]) =>
      text.split('\n').flatMap((line, index) => {
        const at = { file, line: index + 1 };
        if (REGISTRY.test(line)) return [{ ...at, why: "a registry's host" }];
        if (PATH.test(line)) return [{ ...at, why: "one machine's path" }];
        if (isCode(file) && SCRATCH.test(line)) return [{ ...at, why: 'a fixed scratch path: use os.tmpdir()' }];
        return [];
      }),
    ),
};
