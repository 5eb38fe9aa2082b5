// Temporal's worker with every default: its sticky cache, its pollers, its limits. Run by Node as it stands, with the server's address and the task queue.
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import * as activities from './activities.ts';

const [address = '', taskQueue = ''] = process.argv.slice(2);
const worker = await Worker.create({ connection: await NativeConnection.connect({ address }), taskQueue, activities, workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)) });
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
await worker.run();
