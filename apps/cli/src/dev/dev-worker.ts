import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from '@perdure/sdk/node';
import { credentialOf } from '../cli.js';
import { devWorker } from '../config.js';

// TypeScript writes './carrier.js' for './carrier.ts'; Node strips types, but takes a name as it stands.
registerHooks({
  resolve: (specifier, context, next) => {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!/^\.{1,2}\/.*\.js$/.test(specifier)) throw error;
      return next(specifier.replace(/\.js$/, '.ts'), context);
    }
  },
});

const modules = await Promise.all(devWorker.activities.map((file) => import(pathToFileURL(file).href) as Promise<Record<string, (input: never) => unknown>>));
const { url, tenant, apiKey } = devWorker;
const worker = new Worker({ url, ...credentialOf({ url, ...(tenant ? { tenant } : {}), ...(apiKey ? { apiKey } : {}) }), activities: modules });
process.on('SIGTERM', () => void worker.shutdown(5_000));
// Ctrl-C reaches the whole group; the parent says when to stop.
process.on('SIGINT', () => undefined);
// The parent was killed: nobody else would stop this process.
process.once('disconnect', () => void worker.shutdown(0));
process.channel?.unref();
// Loaded: should it end from now on without being told, an activity has crashed it.
process.send?.('loaded');
await worker.run();
