import { isPerdureError } from '@perdure/contract';
import { pino } from 'pino';
import { readConfig, type Config } from './config.js';
import { startServer } from './server.js';

const fail = (error: unknown): never => {
  console.error(`perdure: ${isPerdureError(error) || error instanceof Error ? error.message : String(error)}`);
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
const server = await startServer(config, {
  logger,
  onFatal: (reason) => {
    logger.fatal({ reason }, 'the shard cannot go on');
    process.exit(1);
  },
}).catch(fail);
logger.info({ url: server.url, data: config.data }, 'perdure is listening');
const samples = config.samples ? await (await import('@perdure/swiftcart')).startSwiftcart({ url: server.url, tenant: config.tenant, log: (text) => logger.info(text) }).catch(fail) : undefined;

let stopping = false;
const stop = (): void => {
  if (stopping) return;
  stopping = true;
  void Promise.resolve(samples?.stop())
    .then(() => server.close())
    .then(() => process.exit(0), fail);
};
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
