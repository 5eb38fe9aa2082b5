import type { MessagePort } from 'node:worker_threads';
import type { ShardGateway } from './shard-gateway.js';
import { Batcher, toWireError, type FromShard, type ToShard } from './wire.js';

/** Answers a `ThreadGateway` over a port with the shard of this thread. Resolves when it was told to close. */
export const serveShard = (port: MessagePort, shard: ShardGateway): Promise<void> => {
  const out = new Batcher<FromShard>((batch) => port.postMessage(batch));
  const held = new Map<number, AbortController>();
  shard.onHints((hints) => out.push({ hints }));

  const call = (method: string, args: readonly unknown[], id: number): Promise<unknown> => {
    if (method === 'poll') {
      const controller = new AbortController();
      held.set(id, controller);
      return shard.poll(args[0] as string, args[1] as never, controller.signal).finally(() => held.delete(id));
    }
    return (shard[method as 'append'] as (...rest: readonly unknown[]) => Promise<unknown>).call(shard, ...args);
  };

  return new Promise((resolve) => {
    port.on('message', (batch: ToShard[]) => {
      for (const message of batch) {
        if ('abort' in message) {
          held.get(message.abort)?.abort();
          continue;
        }
        const { id, method, args } = message;
        call(method, args, id)
          .then((value) => out.push({ id, value }))
          .catch((error: unknown) => out.push({ id, error: toWireError(error) }))
          .finally(() => {
            if (method !== 'close') return;
            out.flush();
            resolve();
          });
      }
    });
  });
};
