import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { deliveryTopic } from '@perdure/dapr';
import { isKafka, localFolders, readMeshEnvironment } from '@perdure/dapr/testing';
import { Correspondence, type Letters } from './correspondence.js';
import { DaprWorld } from './dapr-world.js';
import { DeadLetterReader } from './dead-letter-reader.js';
import { Gate } from './gate.js';

const root = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');
const LETTERS: Letters = { sources: 3, destinations: 3, each: 120, perTick: 1 };

describe.each(localFolders(root, process.env).map((path) => [path.replace(`${root}/`, ''), path] as const))('Deliveries with %s', (_name, folder) => {
  let world: DaprWorld;
  let correspondence: Correspondence;
  let gate: Gate;
  let dead: DeadLetterReader | undefined;

  /** The broker's clients go through the gate where the broker does not name its own address. */
  const open = async (ways: { readonly direct?: boolean } = {}): Promise<void> => {
    correspondence = new Correspondence();
    gate = await Gate.open(readMeshEnvironment(process.env).redis);
    world = await DaprWorld.start({ env: process.env, folder, ways, deliver: (service, deliveries) => correspondence.deliver(service, deliveries), components: { PERDURE_REDIS_HOST: gate.address } });
    correspondence.use(world.buses);
  };

  afterEach(async () => {
    correspondence.close();
    await dead?.close();
    dead = undefined;
    await world.close();
    await gate.shut();
  });

  it.each([{ direct: true }, { direct: false }])('survive a sidecar that is killed and comes back, on either side: %j', async (ways) => {
    await open(ways);
    const letters = correspondence.run(LETTERS);
    for (const side of ['scheduler', 'history'] as const) {
      await correspondence.progress(100);
      await world.sidecar(side).kill();
      await correspondence.turns(20);
      await world.sidecar(side).start();
    }
    await letters;
    expect(world.heard.length).toBeGreaterThan(0);
  }, 120_000);

  // Kafka's brokers tell clients their own address, so no gate holds them.
  if (!isKafka(folder)) {
    it('survive a broker that is away, with connections cut in the midst of it', async () => {
      await open({ direct: false });
      const letters = correspondence.run(LETTERS);
      await correspondence.progress(100);
      await gate.shut();
      await correspondence.turns(40);
      await gate.reopen();
      await letters;
      expect(world.heard.some((what) => what.startsWith('pubsub: '))).toBe(true);
    }, 120_000);
  }

  it('are brought by the subscription alone when every tenth is refused, though nothing is sent again', async () => {
    await open({ direct: false });
    // Until the topics are there, what is published is lost.
    await correspondence.run({ sources: 3, destinations: 3, each: 5 });
    await correspondence.run({ ...LETTERS, each: 60, failEach: 10, once: true });
  }, 120_000);

  it('keep what cannot be read in the dead letter topic, and hold up nothing for it', async () => {
    await open();
    dead = await DeadLetterReader.start(world.folder, readMeshEnvironment(process.env));
    const topic = world.folder.topic(deliveryTopic('scheduler'));
    await world.client('history').publishBulk({ pubsub: 'pubsub', topic }, [{ event: { envelopes: 'garbage' } }, { event: '"neither"' }]);
    await correspondence.run({ sources: 1, destinations: 3, each: 10, perTick: 1, resendsOnly: true });
    await dead.until((events) => events.length >= 2);
    expect(dead.events.map(({ data }) => data)).toEqual(expect.arrayContaining([{ envelopes: 'garbage' }, 'neither']));
    expect(world.heard.filter((what) => what.startsWith('unreadable')).length).toBeGreaterThanOrEqual(2);
  }, 120_000);
});
