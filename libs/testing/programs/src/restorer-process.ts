import { activate } from '@perdure/history';
import { Sandbox } from '@perdure/sandbox';
import type { FromRestorer, RestoredStep, StepDone, ToRestorer } from './restorer-wire.js';

// A process that never ran the program: it restores the images that it is handed, does one step on each and tells what the code asked for.

const ACTIVATION_MS = 30_000;
/** A query between the image and the step: it must leave no trace. */
const QUERY = JSON.stringify({ kind: 'query', at: 0, name: 'log' });

let sandbox: Sandbox;

const restored = (bundle: string, { image, jobs }: RestoredStep): StepDone => {
  const realm = sandbox.restoreRealm(bundle, image);
  if (!realm) return { outputs: [`the image was not taken: ${sandbox.snapshotRejection(bundle, image)}`] };
  try {
    realm.probe(QUERY);
    const outputs = jobs.map((job) => JSON.stringify(activate(realm, job)));
    return { outputs, image: realm.snapshot() };
  } finally {
    realm.close();
  }
};

const answer = (message: FromRestorer): void => void process.send!(message);

process.on('message', (message: ToRestorer) => {
  if (message.kind === 'bundle') {
    void Sandbox.create({ snapshotKey: message.snapshotKey, limits: { activationMs: ACTIVATION_MS } }).then((made) => {
      sandbox = made;
      sandbox.loadBundle(message);
      answer({ kind: 'ready', pid: process.pid });
    });
    return;
  }
  answer({ kind: 'done', steps: message.steps.map((step) => restored(message.bundle, step)) });
});
process.on('disconnect', () => process.exit(0));
