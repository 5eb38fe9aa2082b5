import { describe, expect, it } from '@jest/globals';
import { deadFiles } from './dead-files.js';
import { findingsOf, soundPackage } from '../testing/sound-package.js';

const deadWith = (texts: Record<string, string>): string[] => findingsOf(deadFiles, { ...soundPackage('libs/a'), ...texts });

describe('dead-files', () => {
  it('names a file that nothing reaches', () => {
    expect(deadWith({ 'libs/a/src/b.ts': '' })).toEqual([expect.stringContaining('libs/a/src/b.ts: ')]);
  });

  it('does not let a file live by its own spec, nor by a comment', () => {
    const texts = { 'libs/a/src/b.ts': '', 'libs/a/src/b.spec.ts': "import './b.js';", 'libs/a/src/a.ts': "// see './b.js'" };
    expect(deadWith(texts)).toEqual([expect.stringContaining('libs/a/src/b.ts: ')]);
  });

  it('does not let two dead files keep each other alive', () => {
    expect(deadWith({ 'libs/a/src/b.ts': "import './c.js';", 'libs/a/src/c.ts': "import './b.js';" })).toHaveLength(2);
  });

  it('lets a file live that a configuration of jest names', () => {
    const texts = { 'libs/a/src/b.ts': '', 'jest.mesh.config.js': "export default { setupFiles: ['<rootDir>/libs/a/src/b.ts'] };" };
    expect(deadWith(texts)).toEqual([]);
  });

  it('finds imports at second hand, worker entries, bundle entries, programs and what a spec borrows', () => {
    const texts = {
      'libs/a/src/a.ts': "import './b.js'; new Worker(new URL('./worker.js', import.meta.url)); bundle(join(here, 'realm/entry.ts'));",
      'libs/a/src/b.ts': "export * from './c.js';",
      'libs/a/src/c.ts': '',
      'libs/a/src/worker.ts': '',
      'libs/a/src/realm/entry.ts': '',
      'libs/a/src/main.ts': '',
      'libs/a/src/a.spec.ts': "import './sample-order.js';",
      'libs/a/src/sample-order.ts': '',
    };
    expect(deadWith(texts)).toEqual([]);
  });
});
