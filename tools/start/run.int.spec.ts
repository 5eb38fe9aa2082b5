import { type ChildProcess, type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const here = dirname(fileURLToPath(import.meta.url));
let root: string;

/** A workspace without dependencies: the starter, a build that says so, and a server to start. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'perdure-start-'));
  cpSync(here, join(root, 'tools', 'start'), { recursive: true });
  write('package.json', '{ "name": "sample", "version": "1.0.0", "type": "module" }');
  lock('1.0.0');
  server('console.log(process.argv.slice(2).join());');
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const lock = (version: string): void => write('package-lock.json', JSON.stringify({ name: 'sample', version, lockfileVersion: 3, requires: true, packages: { '': { name: 'sample', version: '1.0.0' } } }));
/** The same for either script that serves until it is told to end. */
const server = (code: string): void => ['apps/standalone', 'tools/mesh'].forEach((folder) => write(`${folder}/dist/main.js`, code));
const SERVING = ['start', 'mesh'];

/** The stand-in for TypeScript; npm ci empties node_modules, so it is written after the first run. */
const putCompiler = (): void => write('node_modules/typescript/bin/tsc', "console.log('built');");

function start(...args: string[]): { child: ChildProcess; output: () => string; ended: Promise<unknown[]> } {
  const child = spawn(process.execPath, [join(root, 'tools', 'start', 'run.mjs'), ...args], { env: { ...process.env, NODE_OPTIONS: '' }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output, ended: once(child, 'close') };
}

/** As npm runs it: with a shell between them. */
function underShell(script: string): { shell: ChildProcessByStdio<null, Readable, null>; output: () => string; ended: Promise<unknown[]> } {
  const shell = spawn('sh', ['-c', '"$0" "$1" "$2"; true', process.execPath, join(root, 'tools', 'start', 'run.mjs'), script], { env: { ...process.env, NODE_OPTIONS: '', npm_lifecycle_event: script }, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  shell.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { shell, output: () => output, ended: once(shell, 'close') };
}

async function run(...args: string[]): Promise<{ exitCode: unknown; output: string }> {
  const { output, ended } = start(...args);
  const [exitCode] = await ended;
  return { exitCode, output: output() };
}

describe('the starter', () => {
  it('installs once per lock file', async () => {
    expect((await run('start')).output).toContain('installing npm packages');
    putCompiler();
    expect(await run('start')).toEqual({ exitCode: 0, output: expect.not.stringContaining('installing') });
    lock('1.0.1');
    expect((await run('start')).output).toContain('installing npm packages');
  });

  it('installs once when two terminals ask for it', async () => {
    const outputs = (await Promise.all([run('start'), run('start')])).map(({ output }) => output);
    expect(outputs.filter((output) => output.includes('installing npm packages'))).toHaveLength(1);
    expect(outputs.filter((output) => output.includes('which installs or builds here'))).toHaveLength(1);
  });

  it('does not wait for one that was killed meanwhile', async () => {
    write('.cache/starter.lock', String(spawnSync(process.execPath, ['--version']).pid));
    expect((await run('start')).output).toContain('installing npm packages');
  });

  describe('once installed', () => {
    beforeEach(async () => {
      await run('start');
      putCompiler();
    });

    it('builds, then runs, and passes the arguments on', async () => {
      const { exitCode, output } = await run('start', '--port', '9');
      expect(exitCode).toBe(0);
      expect(output).toMatch(/built\n(.*\n)?--port,9\n/);
    });

    it('does not run what did not build', async () => {
      write('node_modules/typescript/bin/tsc', 'process.exit(3);');
      expect(await run('start')).toEqual({ exitCode: 3, output: expect.not.stringContaining('--port') });
    });

    it('passes the exit code on', async () => {
      server('process.exit(7);');
      expect((await run('start')).exitCode).toBe(7);
    });

    it.each(['SIGTERM', 'SIGINT'] as const)('passes %s on and waits for the server to drain', async (signal) => {
      // As the server does: its parent says when to end.
      server("process.on('SIGINT', () => undefined); process.on('SIGTERM', () => { console.log('drained'); process.exit(0); }); setTimeout(() => process.exit(9), 20_000); console.log('listening');");
      const { child, output, ended } = start('start');
      while (!output().includes('listening')) await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
      child.kill(signal);
      expect((await ended)[0]).toBe(0);
      expect(output()).toContain('drained');
    });

    it.each(SERVING)('takes its server with it when it is killed (%s)', async (script) => {
      server("process.once('disconnect', () => { console.log('ends with its parent'); process.exit(0); }); setTimeout(() => process.exit(9), 20_000); console.log('listening');");
      const { child, output, ended } = start(script);
      while (!output().includes('listening')) await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
      child.kill('SIGKILL');
      // Its output closes when both have ended.
      await ended;
      expect(output()).toContain('ends with its parent');
    });

    it.each(SERVING)('drains its server when npm is told to stop, which tells only the shell between them (%s)', async (script) => {
      server("process.on('SIGTERM', () => { console.log('drained'); process.exit(0); }); setTimeout(() => process.exit(9), 20_000); console.log('listening');");
      const { output, ended, shell } = underShell(script);
      while (!output().includes('listening')) await once(shell.stdout, 'data');
      shell.kill('SIGTERM');
      await ended;
      expect(output()).toContain('drained');
    });

    it('ends what the CLI serves when npm is told to stop', async () => {
      write('apps/cli/dist/main.js', "process.on('SIGTERM', () => { console.log('stopped'); process.exit(0); }); setTimeout(() => process.exit(9), 20_000); console.log('serving');");
      const { output, ended, shell } = underShell('perdure');
      while (!output().includes('serving')) await once(shell.stdout, 'data');
      shell.kill('SIGTERM');
      await ended;
      expect(output()).toContain('stopped');
    });

    it('dies of the signal that its server died of', async () => {
      server("process.kill(process.pid, 'SIGKILL');");
      const { ended } = start('start');
      expect(await ended).toEqual([null, 'SIGKILL']);
    });
  });

  it('names the scripts there are', async () => {
    expect(await run('strat')).toEqual({ exitCode: 2, output: expect.stringContaining('there are start') });
  });
});
