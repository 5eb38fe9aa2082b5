import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ServerProcess } from '../process/server-process.js';
import { startDaprd } from './daprd.js';

const COMPONENT = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: memory
spec:
  type: state.in-memory
  version: v1
`;
const SILENCE_MS = 1_000;

describe('daprd', () => {
  let resources: string;
  let app: Server;
  let sidecar: ServerProcess;

  beforeAll(async () => {
    const path = process.env['PERDURE_TEST_DAPRD'];
    if (!path) throw new Error('PERDURE_TEST_DAPRD is not set: run npm run test:mesh');
    resources = await mkdtemp(join(tmpdir(), 'perdure-resources-'));
    await writeFile(join(resources, 'memory.yaml'), COMPONENT);
    app = createServer((request, response) => response.end(`${request.method} ${request.url}`)).listen(0, '127.0.0.1');
    await once(app, 'listening');
    const program = { name: 'daprd', version: 'as given', path, from: 'machine' } as const;
    sidecar = await startDaprd({ program, appId: 'servers-spec', appPort: (app.address() as AddressInfo).port, resources });
  });
  afterAll(async () => {
    await sidecar?.stop();
    app?.close();
    await rm(resources, { recursive: true, force: true });
  });

  const invoke = async (): Promise<string> => (await fetch(`${sidecar.address}/v1.0/invoke/servers-spec/method/orders`)).text();
  const ready = async (): Promise<void> => {
    while (!(await fetch(`${sidecar.address}/v1.0/healthz`)).ok) await after(25);
  };

  it('reaches its application and its components', async () => {
    await ready();
    expect(await invoke()).toBe('GET /orders');
    const saved = await fetch(`${sidecar.address}/v1.0/state/memory`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '[{"key":"word","value":"kept"}]' });
    expect(saved.status).toBe(204);
    expect(await (await fetch(`${sidecar.address}/v1.0/state/memory/word`)).json()).toBe('kept');
  });

  it('stands still while it is paused, and goes on', async () => {
    await sidecar.pause();
    const asked = invoke();
    expect(await Promise.race([asked, after(SILENCE_MS, 'silent')])).toBe('silent');
    sidecar.resume();
    expect(await asked).toBe('GET /orders');
  });

  it('has the same ports when it is killed and started again', async () => {
    await sidecar.kill();
    await expect(invoke()).rejects.toThrow('fetch failed');
    await sidecar.restart();
    await ready();
    expect(await invoke()).toBe('GET /orders');
  });
});
