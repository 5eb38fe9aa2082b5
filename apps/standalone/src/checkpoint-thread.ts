import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Checkpointer, CheckpointSignal } from '@perdure/sqlite';

/** What the main thread tells the thread that checkpoints its shards. */
export interface CheckpointThreadData {
  readonly shards: readonly { readonly path: string; readonly signal: SharedArrayBuffer }[];
}

/** After a write, so long until a look: a shard that is busy fills its log in a second or more. */
const PAUSE_MS = 50;

const { shards } = workerData as CheckpointThreadData;
const port = parentPort!;

const warn = (error: Error): void => port.postMessage([{ log: { level: 'warn', message: 'a checkpoint failed', fields: { error: error.message } } }]);

/** What fails again and again, on a disk that is full, is told once. */
const keepCheckpointing = async (checkpointer: Checkpointer, signal: CheckpointSignal): Promise<void> => {
  let isFailing = false;
  for (;;) {
    const seen = signal.writes;
    try {
      checkpointer.run();
      isFailing = false;
    } catch (thrown) {
      if (!isFailing) warn(thrown as Error);
      isFailing = true;
    }
    await signal.whenWritesDiffer(seen);
    await sleep(PAUSE_MS);
  }
};

const checkpointers = shards.map(({ path, signal }) => {
  const shared = new CheckpointSignal(signal);
  const checkpointer = new Checkpointer({ path, signal: shared });
  void keepCheckpointing(checkpointer, shared);
  return checkpointer;
});
port.on('message', () => {
  for (const checkpointer of checkpointers) checkpointer.close();
  process.exit(0);
});
