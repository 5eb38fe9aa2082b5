import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DaprState } from '@perdure/dapr';
import { CertificateAuthority, KAFKA_ADMIN, kafkaProgram, obtain, postgresProgram, SilentProgress, startKafka, startPostgres, type ServerProcess } from '@perdure/servers';
import { busSuite } from './bus-suite.js';
import { CloudFolder, type StandIn } from './cloud-folder.js';
import { DaprWorld, type DaprWorldOptions } from './dapr-world.js';

const root = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');
const EVENT_HUBS_USER = '$ConnectionString';
const password = randomUUID();
const folder = mkdtempSync(join(tmpdir(), 'perdure-clouds-'));
let authority: CertificateAuthority;
let kafka: ServerProcess;
let postgres: ServerProcess;

beforeAll(async () => {
  // PostgreSQL's user reads from there.
  chmodSync(folder, 0o711);
  authority = await CertificateAuthority.create({ folder });
  const secured = { certificate: await authority.issue('server', ['127.0.0.1']), authority: authority.certificate, password, plainUser: { name: EVENT_HUBS_USER, password } };
  const [kafkaJars, postgresFolder] = [await obtain(kafkaProgram, { progress: new SilentProgress() }), await obtain(postgresProgram, { progress: new SilentProgress() })];
  [kafka, postgres] = await Promise.all([startKafka({ program: kafkaJars, secured }), startPostgres({ program: postgresFolder, secured })]);
}, 120_000);
afterAll(async () => {
  await Promise.all([kafka.stop(), postgres.stop()]);
  rmSync(folder, { recursive: true });
});

const authorityPem = (): string => readFileSync(authority.certificate, 'utf8');
/** In the cloud, somebody whom everyone trusts has signed. */
const reached = (): StandIn['pubsub'] => ({ brokers: kafka.address, caCert: authorityPem() });

const CLOUDS: Readonly<Record<string, () => Omit<StandIn, 'from'>>> = {
  aks: () => ({ secrets: { 'state-url': postgres.address, 'event-hubs-connection': password }, pubsub: reached() }),
  // Only AWS knows who its identities are; SCRAM is MSK's other way.
  eks: () => ({ secrets: { 'perdure/state-url': postgres.address }, pubsub: { ...reached(), authType: 'password', saslMechanism: 'SHA-512', saslUsername: KAFKA_ADMIN, saslPassword: password, region: undefined } }),
};

describe.each(Object.keys(CLOUDS))('With components/%s', (cloud) => {
  const folders: CloudFolder[] = [];
  let state: DaprState;
  let world: DaprWorld;

  afterAll(() => folders.forEach((each) => each.remove()));

  const start = async (deliver: DaprWorldOptions['deliver']): Promise<DaprWorld> => {
    const components = new CloudFolder({ from: `${root}/components/${cloud}`, ...CLOUDS[cloud]!() });
    folders.push(components);
    world = await DaprWorld.start({
      env: process.env, folder: components.path, deliver, ways: { direct: false },
      // That of the components.
      components: { NAMESPACE: 'perdure' },
      kafka: { brokers: [kafka.address], ssl: { ca: authorityPem() }, sasl: { mechanism: 'scram-sha-512', username: KAFKA_ADMIN, password } },
    });
    state = new DaprState(world.client('history'));
    return world;
  };

  busSuite('DaprBus by pub/sub over Kafka with TLS and a password', start, { messageBytesMax: 850_000 });

  it('keeps state in PostgreSQL by verify-full, as a secret says', async () => {
    world = await start(async () => undefined);
    const key = `${cloud}-${randomUUID()}`;
    expect(await state.save(key, { a: 1 })).toBe(true);
    const { value, etag } = (await state.get(key))!;
    expect(value).toEqual({ a: 1 });
    expect(await new DaprState(world.client('scheduler')).save(key, { a: 2 }, { etag })).toBe(true);
    expect(await state.save(key, { a: 3 }, { etag })).toBe(false);
    await world.close();
  }, 120_000);
});
