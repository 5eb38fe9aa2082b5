import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { blocksOf } from './block.js';
import { pageFiles } from './page-files.js';

const root = execFileSync('git', ['rev-parse', '--show-toplevel'], { encoding: 'utf8' }).trim();

/** Node's types are where the project would install them. */
const TSCONFIG = JSON.stringify({ compilerOptions: { rootDir: 'src', outDir: 'dist', module: 'NodeNext', target: 'ES2024', strict: true, skipLibCheck: false, typeRoots: [join(root, 'node_modules', '@types')], types: ['node'] } });

describe('a project outside of the clone', () => {
  let folder: string;
  const run = (program: string, ...args: string[]): string => execFileSync(program, args, { cwd: folder, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'perdure-own-'));
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'package.json'), '{ "name": "own", "version": "1.0.0", "type": "module" }');
    writeFileSync(join(folder, 'tsconfig.json'), TSCONFIG);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('installs the SDK from the clone, type-checks against it and runs its test', () => {
    for (const { name, text } of pageFiles(blocksOf('README.md', readFileSync(join(root, 'README.md'), 'utf8'))).filter(({ name }) => name.startsWith('scratch/hello.'))) {
      writeFileSync(join(folder, 'src', basename(name)), text.replaceAll("'scratch/", "'src/"));
    }
    run('npm', 'install', '--offline', '--no-audit', '--no-fund', '--loglevel=error', join(root, 'libs', 'sdk'));
    run(process.execPath, join(root, 'node_modules', 'typescript', 'bin', 'tsc'));
    expect(run(process.execPath, 'dist/hello.test.js')).toBe('Hi, Ada, approved by Grace\n');
  }, 300_000);
});
