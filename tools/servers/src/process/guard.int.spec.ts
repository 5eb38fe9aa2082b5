import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { isRunning } from './process-tree.js';

const BUILT = new URL('../../dist/process/guard.js', import.meta.url).href;

/** A parent that starts a server and its guard, says the server's id and then waits to be killed. */
const PARENT = `
import { spawn } from 'node:child_process';
const { guard } = await import(process.argv[1]);
const server = spawn('sh', ['-c', process.argv[3]], { stdio: 'ignore', detached: true });
guard({ pid: server.pid, stopSignal: 'SIGTERM', temporaryFolder: process.argv[2] });
console.log(server.pid);
setInterval(() => {}, 1000);
`;

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await after(20);
};

describe('guard', () => {
  it.each([
    ['SIGKILL', 'exec sleep 600'],
    ['SIGTERM', 'exec sleep 600'],
    ['SIGKILL', 'kill -STOP $$; exec sleep 600'],
  ] as const)('ends a server whose parent ended by %s: %s', async (signal, server) => {
    const folder = await mkdtemp(join(tmpdir(), 'perdure-guard-'));
    const parent = spawn(process.execPath, ['--input-type=module', '-e', PARENT, BUILT, folder, server], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(said.toString());
    expect(isRunning(pid)).toBe(true);
    parent.kill(signal);
    await until(() => !isRunning(pid) && !existsSync(folder));
  });
});
