import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { answeringProgram } from '../testing/answering-program.js';
import { isRunning } from './process-tree.js';
import { ServerProcess, type ServerSpec } from './server-process.js';

const SILENCE_MS = 300;

describe('ServerProcess', () => {
  let server: ServerProcess | undefined;
  afterEach(() => server?.stop());
  const start = async (spec: ServerSpec): Promise<ServerProcess> => (server = await ServerProcess.start(spec));
  /** Its process id and its child's. */
  const pids = async (): Promise<number[]> => (await (await fetch(server!.address)).text()).split(' ').map(Number);

  it('answers once it has started, and is gone with its folder when it was stopped', async () => {
    const { pid, folder } = await start(await answeringProgram());
    expect((await pids())[0]).toBe(pid);
    await server!.stop();
    expect([isRunning(pid!), existsSync(folder), server!.pid]).toEqual([false, false, undefined]);
    expect(await server!.exited).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('is killed with all it started, and starts again on its port and data', async () => {
    await start(await answeringProgram());
    const before = await pids();
    await server!.kill();
    expect([before.map(isRunning), await server!.exited]).toEqual([[false, false], { code: null, signal: 'SIGKILL' }]);
    await server!.restart();
    expect((await pids())[0]).not.toBe(before[0]);
    expect(readFileSync(join(server!.folder, 'starts'), 'utf8')).toBe('xx');
  });

  it('starts again from up', async () => {
    const { pid } = await start(await answeringProgram());
    await server!.restart();
    expect([isRunning(pid!), server!.pid === pid]).toEqual([false, false]);
  });

  it('stands still while paused, can be killed then, and goes on when resumed', async () => {
    await start(await answeringProgram());
    await server!.pause();
    const asked = pids();
    expect(await Promise.race([asked, after(SILENCE_MS, 'silent')])).toBe('silent');
    server!.resume();
    expect((await asked)[0]).toBe(server!.pid);
    await server!.pause();
    await server!.kill();
    await server!.restart();
    expect((await pids())[0]).toBe(server!.pid);
  });

  it('is killed when it does not end in time', async () => {
    const stubborn = `process.on('SIGTERM', () => {}); require('node:http').createServer((_, response) => response.end()).listen(Number(process.argv[1]), '127.0.0.1');`;
    await start({ ...(await answeringProgram({ program: stubborn })), limits: { stopMsMax: 100 } });
    await server!.stop();
    expect((await server!.exited).signal).toBe('SIGKILL');
  });

  it('has one line for a port that is taken', async () => {
    const spec = await answeringProgram();
    const other = createServer().listen(spec.port, '127.0.0.1');
    await expect(ServerProcess.start(spec)).rejects.toThrow(new RegExp(`^answering: port ${spec.port} is taken by another program$`));
    other.close();
    expect(existsSync(spec.folder)).toBe(false);
  });

  it('has one line, and the end of the log, for a program that dies at its start', async () => {
    const starting = ServerProcess.start(await answeringProgram({ program: `console.log('a first word'); console.error('no such disk'); process.exit(3)` }));
    await expect(starting).rejects.toMatchObject({ message: 'answering ended with code 3 at its start: no such disk', tail: 'a first word\nno such disk' });
  });

  it('has nothing of what its log had before', async () => {
    const spec = await answeringProgram({ program: 'process.exit(3)' });
    writeFileSync(spec.logFile, 'of yesterday\n');
    await expect(ServerProcess.start(spec)).rejects.toMatchObject({ message: 'answering ended with code 3 at its start: it said nothing', tail: '' });
  });

  it('has one line for a program that cannot be run', async () => {
    await expect(ServerProcess.start({ ...(await answeringProgram()), command: 'no-such-program-anywhere' })).rejects.toThrow(/^answering could not be run: spawn no-such-program-anywhere ENOENT$/);
  });

  it('has one line for a program that never answers, which is ended', async () => {
    const spec = { ...(await answeringProgram({ program: 'console.log(process.pid); setInterval(() => {}, 1000)', temporary: false })), limits: { startMsMax: 500 } };
    await expect(ServerProcess.start(spec)).rejects.toThrow(/^answering did not answer within 0\.5 s \(connect ECONNREFUSED 127\.0\.0\.1:\d+\); its log is /);
    expect(isRunning(Number(readFileSync(spec.logFile, 'utf8')))).toBe(false);
    rmSync(spec.folder, { recursive: true });
  });
});
