// Perdure's activities in a process of their own, as Restate has its service.
import { Worker } from '@perdure/sdk/node';
import * as activities from './bench.activities.js';

// The server is killed on purpose: that it does not answer then is no news.
const worker = new Worker({ url: process.argv[2]!, activities, log: () => undefined });
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
await worker.run();
