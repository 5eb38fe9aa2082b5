import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { bundle } from '@perdure/bundler';
import { Client } from '@perdure/sdk/client';
import { freePort } from '@perdure/servers';
import { ServerProcess, until } from './server-process.js';

const WORKFLOW = `
import { activities } from '@perdure/sdk/workflow';
const { end } = activities<{ end(): Promise<void> }>();
export const deadly = async (): Promise<void> => end();
`;

/** Ends its process before anything else can happen in it. A name that stays lets the server know at once that the process before has gone. */
const workerOf = (sdk: string, url: string): string => `
import { Worker } from '${sdk}';
const end = () => { process.stdout.write('began'); process.exit(3); };
await new Worker({ url: '${url}', identity: 'the-one', activities: { end } }).run();
`;

const SDK = new URL('../../../libs/sdk/dist/node/index.js', import.meta.url).href;

let folder: string;
let server: ServerProcess;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perdure-deadly-'));
  server = new ServerProcess({ port: await freePort(), data: join(folder, 'data') });
  await server.start();
});
afterEach(async () => {
  await server.stop('SIGKILL');
  rmSync(folder, { recursive: true });
});

it('counts each process that an activity ends, and hands a poisoned one to no more', async () => {
  const client = new Client({ url: server.url });
  await client.deploy({ name: 'deadly', code: (await bundle({ source: WORKFLOW, resolveDir: import.meta.dirname })).code });
  await client.start('deadly', { workflowId: 'd-1' });
  await client.close();
  const script = join(folder, 'worker.mjs');
  writeFileSync(script, workerOf(SDK, server.url));
  const poisoned = async (): Promise<boolean> => /^perdure_tasks_poisoned 1$/m.test(await (await fetch(`${server.url}/metrics`)).text());

  let ended = 0;
  while (!(await poisoned())) {
    const worker = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    worker.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const exited = once(worker, 'exit');
    // One that comes when the task is poisoned is given none, and does not end by itself.
    await until(async () => worker.exitCode !== null || (await poisoned()));
    worker.kill('SIGKILL');
    await exited;
    if (output === 'began') ended++;
  }
  expect(ended).toBe(3);
}, 120_000);
