import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bundle } from '@perdure/bundler';
import { Client } from '@perdure/sdk/client';
import type { Children } from '../children.js';
import { untilSaysReady } from './ports.js';

const WORKER = fileURLToPath(new URL('../worker-process.js', import.meta.url));
const WORKFLOWS = fileURLToPath(new URL('../../src/bench.workflow.ts', import.meta.url));

/** Gives a server the workloads' workflows. */
export const deployWorkflows = async (url: string): Promise<void> => {
  const { code, sourceMap } = await bundle({ entry: WORKFLOWS });
  const client = new Client({ url });
  await client.deploy({ name: 'bench', code, sourceMap });
  await client.close();
};

/** A process that pulls from a server and executes the workloads' activities. */
export const startWorker = async (children: Children, url: string): Promise<ChildProcess> => {
  const worker = children.fork(WORKER, [url], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  await untilSaysReady(worker);
  return worker;
};
