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
for (const name of config.unknownSettings) logger.warn({ name }, 'there is no such setting');
// Loaded only where it is wanted. The server takes its carrier's webhooks, so it is made first.
const swiftcart = config.samples ? (await import('@perdure/swiftcart')).createSwiftcart(config.tenant) : undefined;
const serving = startServer({ ...config, webhooks: { ...config.webhooks, ...swiftcart?.webhooks } }, {
  logger,
  onFatal: (reason) => {
    logger.fatal({ reason }, 'the shard cannot go on');
    process.exit(1);
  },
}).catch(fail);
const started: {
  activities?: Awaited<ReturnType<typeof startActivities>> | undefined;
  samples?: Awaited<ReturnType<NonNullable<typeof swiftcart>['start']>> | undefined;
} = {};

let stopping = false;
const stop = (): void => {
  if (stopping) return;
  stopping = true;
  void Promise.resolve(started.samples?.stop())
    .then(() => started.activities?.shutdown())
    .then(() => serving)
    .then((server) => server.close())
    .then(() => process.exit(0), fail);
};
/** What is still starting when the server stops finds nobody to talk to, and goes with the process. */
const failUnlessStopping = (error: unknown): undefined => (stopping ? undefined : fail(error));
// Before the server takes its first request, or one could end undrained. A terminal's Ctrl-C reaches a parent that forked this process as well, and the parent says in which order to stop.
process.on('SIGINT', process.send ? () => undefined : stop);
process.on('SIGTERM', stop);

const server = await serving;
logger.info({ url: server.url, data: config.data }, 'perdure is listening');
if (config.activities !== undefined) started.activities = await startActivities(config.activities, { desk: server.desk, tenant: config.tenant, log }).catch(failUnlessStopping);
started.samples = await swiftcart?.start({ url: server.url, log }).catch(failUnlessStopping);
// Not a log line, so not where those go.
if (started.samples) console.error(hints({ url: server.url, data: config.data }));
attendParent(server.url, stop);
