import type { FastifyRequest } from 'fastify';

/** Aborts when the client goes away before it was answered: a long poll need not be held open for nobody. */
export const abortOnDisconnect = (request: FastifyRequest): AbortSignal => {
  const controller = new AbortController();
  request.raw.socket.once('close', () => controller.abort());
  return controller.signal;
};
