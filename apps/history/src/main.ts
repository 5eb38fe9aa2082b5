import { Worker } from 'node:worker_threads';
import { HOST_STACK_MB } from '@perdure/sandbox';

// Workflow code may recurse deeply, and only a thread's stack can be made larger from within.
const worker = new Worker(new URL('./history-thread.js', import.meta.url), { resourceLimits: { stackSizeMb: HOST_STACK_MB } });
const stop = (): void => worker.postMessage('stop');
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
worker.on('error', (error) => {
  console.error(`perdure: ${error instanceof Error ? error.stack : String(error)}`);
  process.exitCode = 1;
});
worker.on('exit', (code) => process.exit(process.exitCode ?? code));
