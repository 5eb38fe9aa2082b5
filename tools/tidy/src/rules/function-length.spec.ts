import { describe, expect, it } from '@jest/globals';
import { functionLength } from './function-length.js';
import { findingsOf } from '../testing/sound-package.js';

const withLines = (count: number, extra = ''): string => `function f() {\n${'  x();\n'.repeat(count - 2)}${extra}}\n`;

describe('function-length', () => {
  it.each([
    ['a function', withLines(71)],
    ['an arrow', `const f = () => {\n${'  x();\n'.repeat(69)}};\n`],
    ['a method', `class A {\n  m() {\n${'    x();\n'.repeat(69)}  }\n}\n`],
    ['a template', `function f() {\n  return \`${'\n'.repeat(68)}\`;\n}\n`],
  ])('refuses %s of 71 lines', (_what, text) => {
    expect(findingsOf(functionLength, { 'libs/a/src/a.ts': text })).toEqual([expect.stringContaining('a function of 71 lines')]);
  });

  it('counts neither blank lines nor comments', () => {
    expect(findingsOf(functionLength, { 'libs/a/src/a.ts': withLines(70, '\n\n  // why\n  /* and\n     how */\n') })).toEqual([]);
  });
});
