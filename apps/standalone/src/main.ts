import { explain } from '@perdure/hosting';
import type { WorkerLog } from '@perdure/sdk/node';
import { pino } from 'pino';
import { readConfig, type Config } from './config.js';
import { hints } from './hints.js';
import { startActivities } from './own-activities.js';
import { attendParent } from './parent-process.js';
import { startServer } from './server.js';

const fail = (error: unknown): never => {
  console.error(`perdure: ${explain(error)}`);
  process.exit(1);
};

const read = (): Config => {
  try {
    return readConfig();
  } catch (error) {
    return fail(error);
  }
};

const config = read();
const logger = pino({ level: config.logLevel, base: undefined, timestamp: pino.stdTimeFunctions.isoTime });
const log: WorkerLog = (text, fields) => logger.info(fields ?? {}, text);
// Loaded only where it is wanted. The server takes its carrier's webhooks, so it is made first.
const swiftcart = config.samples ? (await import('@perdure/swiftcart')).createSwiftcart(config.tenant) : undefined;
const server = await startServer({ ...config, webhooks: { ...config.webhooks, ...swiftcart?.webhooks } }, {
  logger,
  onFatal: (reason) => {
    logger.fatal({ reason }, 'the shard cannot go on');
    process.exit(1);
  },
}).catch(fail);
logger.info({ url: server.url, data: config.data }, 'perdure is listening');
const activities = config.activities === undefined ? undefined : await startActivities(config.activities, { desk: server.desk, tenant: config.tenant, log }).catch(fail);
const samples = await swiftcart?.start({ url: server.url, log }).catch(fail);
// Not a log line, so not where those go.
if (samples) console.error(hints({ url: server.url, data: config.data }));

let stopping = false;
const stop = (): void => {
  if (stopping) return;
  stopping = true;
  void Promise.resolve(samples?.stop())
    .then(() => activities?.shutdown())
    .then(() => server.close())
    .then(() => process.exit(0), fail);
};
// A terminal's Ctrl-C reaches a parent that forked this process as well, and the parent says in which order to stop.
process.on('SIGINT', process.send ? () => undefined : stop);
process.on('SIGTERM', stop);
attendParent(server.url, stop);
