import type { FastifyReply } from 'fastify';

/** Aborts when the client goes away before it was answered: a long poll need not be held open for nobody. */
export const abortOnDisconnect = (reply: FastifyReply): AbortSignal => {
  const controller = new AbortController();
  // The reply closes with its connection, or when it has been sent; then nobody listens any more, and an abort would only cost. The socket outlives many replies.
  reply.raw.once('close', () => reply.raw.writableFinished || controller.abort());
  return controller.signal;
};
