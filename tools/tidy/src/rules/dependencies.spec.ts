import { describe, expect, it } from '@jest/globals';
import { dependencies } from './dependencies.js';
import { findingsOf, soundPackage } from '../testing/sound-package.js';

const root = { 'package.json': JSON.stringify({ devDependencies: { '@jest/globals': '30.5.2' } }) };
const found = (manifest: Record<string, unknown>, texts: Record<string, string>): string[] => findingsOf(dependencies, { ...root, ...soundPackage('libs/a', manifest), ...texts });

describe('dependencies', () => {
  it.each(["import { z } from 'zod';", "export { z } from 'zod/mini';", "type Z = import('zod').Z;", "await import('zod');", "import.meta.resolve('zod');"])('wants a declaration for %s', (text) => {
    expect(found({}, { 'libs/a/src/a.ts': text })).toEqual([expect.stringContaining('imports zod')]);
  });

  it('does not let source live by a development dependency or by the root', () => {
    expect(found({ devDependencies: { zod: '4.6.7' } }, { 'libs/a/src/a.ts': "import 'zod'; import '@jest/globals';" })).toHaveLength(2);
  });

  it('lets specs use both', () => {
    expect(found({ devDependencies: { zod: '4.6.7' } }, { 'libs/a/src/a.spec.ts': "import 'zod'; import '@jest/globals';" })).toEqual([]);
  });

  it('names what nothing imports', () => {
    expect(found({ dependencies: { zod: '4.6.7' } }, {})).toEqual([expect.stringContaining('declares zod')]);
  });

  it('wants one exact version', () => {
    expect(found({ dependencies: { zod: '^4.6.7' } }, { 'libs/a/src/a.ts': "import 'zod';" })).toEqual([expect.stringContaining('"^4.6.7"')]);
  });

  it('knows Node, the package itself and text that is no import', () => {
    expect(found({}, { 'libs/a/src/a.ts': "import 'node:fs'; import 'path'; import '@perdure/a'; Promise.resolve('zod'); // import 'zod'" })).toEqual([]);
  });
});
