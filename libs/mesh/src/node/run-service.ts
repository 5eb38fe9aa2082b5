import { isMainThread, parentPort } from 'node:worker_threads';
import { explain } from '@perdure/hosting';
import { pino, type Logger } from 'pino';
import { readMeshConfig, type MeshConfig } from '../config.js';
import { connectParts, type MeshParts } from './mesh-parts.js';
import type { MeshServer } from './slice-node.js';

const fail = (error: unknown): never => {
  process.stderr.write(`perdure: ${explain(error)}\n`);
  process.exit(1);
};

export const meshLogger = (config: MeshConfig): Logger => pino({ level: config.logLevel, base: { service: config.service }, timestamp: pino.stdTimeFunctions.isoTime });

/** A service's process: reads its environment, connects, starts, and ends when it is told to: by a signal, or by its main thread. */
export const runService = async (service: MeshConfig['service'], { start, random }: { readonly start: (parts: MeshParts) => Promise<MeshServer>; readonly random: () => number }): Promise<void> => {
  try {
    const config = readMeshConfig(service);
    const logger = meshLogger(config);
    const parts = await connectParts(config, { logger, random });
    const server = await start(parts);
    logger.info({ url: server.url, node: parts.self.id }, 'the node is up');
    let stopping = false;
    const stop = (): void => {
      if (stopping) return;
      stopping = true;
      server.close().then(() => process.exit(0), fail);
    };
    if (isMainThread) for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);
    else parentPort?.on('message', stop);
  } catch (error) {
    fail(error);
  }
};
