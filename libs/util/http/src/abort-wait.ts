import type { Server } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** Who waits for an answer, by the server that owes it. */
const waiting = new WeakMap<Server, Set<AbortController>>();

/** Aborts when there is no use in holding the request open: its connection is gone before it was answered, or the server closes (then it is answered with what is known). */
export const abortWait = (reply: FastifyReply): AbortSignal => {
  const controller = new AbortController();
  const all = waitsOf(reply.server.server);
  all.add(controller);
  // The reply closes with its connection, or when it has been sent; then nobody listens any more, and an abort would only cost. The socket outlives many replies.
  reply.raw.once('close', () => {
    all.delete(controller);
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
};

/** Requests that are held open for minutes must not hold the server open, nor must connections that would be kept for a next request. */
export const endWaitsOnClose = (instance: FastifyInstance): void => {
  instance.addHook('preClose', (done) => {
    // Read when an answer has been sent: what is in flight now leaves no idle connection behind.
    instance.server.keepAliveTimeout = 1;
    for (const controller of waitsOf(instance.server)) controller.abort();
    done();
  });
};

const waitsOf = (server: Server): Set<AbortController> => {
  const known = waiting.get(server);
  if (known) return known;
  const fresh = new Set<AbortController>();
  waiting.set(server, fresh);
  return fresh;
};
