import { fileURLToPath } from 'node:url';
import { localFolders } from '@perdure/dapr/testing';
import { busSuite } from './bus-suite.js';
import { DaprWorld } from './dapr-world.js';

const root = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');

// What a broker takes no event of goes by direct calls, and so not where they are off.
for (const folder of localFolders(root, process.env)) {
  const name = folder.replace(`${root}/`, '');
  busSuite(`DaprBus with ${name}`, (deliver) => DaprWorld.start({ env: process.env, folder, deliver }));
  busSuite(`DaprBus with ${name}, by pub/sub alone`, (deliver) => DaprWorld.start({ env: process.env, folder, deliver, ways: { direct: false } }), { messageBytesMax: 850_000 });
}
busSuite('DaprBus by direct calls alone', (deliver) => DaprWorld.start({ env: process.env, folder: localFolders(root, process.env)[0]!, deliver, ways: { pubsub: false } }));
