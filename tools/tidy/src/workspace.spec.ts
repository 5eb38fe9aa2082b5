import { describe, expect, it } from '@jest/globals';
import { soundPackage } from './testing/sound-package.js';
import { workspaceOf } from './workspace.js';

describe('workspaceOf', () => {
  it('gives a package inside another its own files', () => {
    const { packages } = workspaceOf({ ...soundPackage('libs/a'), ...soundPackage('libs/a/inner') });
    expect(packages.map(({ folder, files }) => [folder, [...files.keys()].filter((path) => path.endsWith('a.ts'))])).toEqual([['libs/a', ['libs/a/src/a.ts']], ['libs/a/inner', ['libs/a/inner/src/a.ts']]]);
  });
});
