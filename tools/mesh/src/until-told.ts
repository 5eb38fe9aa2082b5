import type { EventEmitter } from 'node:events';

/** Resolves when this process is told to end: by a signal, or by the end of the starter that attends it (`npm run mesh`). A second signal does nothing more. */
export const untilTold = (self: Pick<EventEmitter, 'on'>): Promise<void> =>
  new Promise((resolve) => {
    for (const event of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect']) self.on(event, () => resolve());
  });
