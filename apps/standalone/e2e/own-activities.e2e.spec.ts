import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bundle } from '@perdure/bundler';
import { Client } from '@perdure/sdk/client';
import { freePort } from '@perdure/servers';
import { ServerProcess } from './server-process.js';

const WORKFLOW = `
import { activities } from '@perdure/sdk/workflow';
const { whereabouts } = activities<{ whereabouts(): Promise<number> }>();
export const ask = async (): Promise<number> => whereabouts();
`;

describe('a server with activities of its own', () => {
  let folder: string;
  let server: ServerProcess;

  const serverWith = async (module: string): Promise<ServerProcess> => {
    const path = join(folder, 'own.mjs');
    writeFileSync(path, module);
    return new ServerProcess({ port: await freePort(), data: join(folder, 'data'), env: { PERDURE_ACTIVITIES: path } });
  };

  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'perdure-own-'))));
  afterEach(async () => {
    await server.stop('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  it('runs them in its own process, and ends at SIGTERM', async () => {
    server = await serverWith('export const whereabouts = async () => process.pid;');
    await server.start();
    const client = new Client({ url: server.url });
    const { code } = await bundle({ source: WORKFLOW, resolveDir: import.meta.dirname });
    await client.deploy({ name: 'own', code });
    expect(await client.execute('ask')).toBe(server.pid);
    await client.close();
    expect(await server.stop('SIGTERM')).toBe(0);
  });

  it('does not start on a module that does not load', async () => {
    server = await serverWith('export const broken = ;');
    await expect(server.start()).rejects.toThrow(/own\.mjs does not load/);
  });
});
