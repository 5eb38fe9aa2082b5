import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { SystemClock } from '@perdure/clock';
import { AppendLoad, cockroachSuites, follow, hasLast, idsIn, listed, logSuite, membershipSuite, nodeOf, readAll } from '@perdure/conformance';
import { sliceIndexOf } from '@perdure/delivery';
import type { EtcdMembership } from '@perdure/etcd';
import type { KafkaLogs } from '@perdure/kafka';
import type { Admin } from 'kafkajs';
import { readMeshConfig, type MeshConfig } from '../config.js';
import { SecuredServers } from '../testing/secured-servers.js';
import { connectLogs, connectMembership, connectPool, type Connecting } from './connect-servers.js';

// Three brokers start at once, and a machine has other things to do: a server that does not start says so itself before this.
jest.setTimeout(300_000);

const SLICE = 'history/1';
const connecting: Connecting = { clock: new SystemClock(), random: Math.random };
let servers: SecuredServers;
let admin: Admin;
let end = async (): Promise<void> => undefined;
beforeAll(async () => {
  servers = await SecuredServers.start();
  end = () => servers.stop();
  admin = (await servers.kafka()).admin();
  end = () => admin.disconnect().finally(() => servers.stop());
  await admin.connect();
});
afterAll(() => end());

/** A node's configuration, as its environment gives it. */
const configOf = (more: Readonly<Record<string, string | undefined>> = {}): MeshConfig => readMeshConfig('scheduler', { ...servers.environment, ...more });
const newPrefix = (): string => `s${randomUUID().slice(0, 8)}`;

/** What a test has opened, and who ends it. */
const opened: { close(): Promise<void> }[] = [];
const closeAll = async (): Promise<void> => void (await Promise.all(opened.splice(0).map((each) => each.close())));
const keep = <T extends { close(): Promise<void> }>(each: T): T => {
  opened.push(each);
  return each;
};
const openLogs = async (config: MeshConfig): Promise<KafkaLogs> => keep(await connectLogs(config, connecting));
const openMembership = async (config: MeshConfig): Promise<EtcdMembership> => keep(await connectMembership(config, connecting));

const deleteTopics = async (prefix: string): Promise<void> => {
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${prefix}.`));
  await admin.deleteTopics({ topics });
  // Kafka says so before it is so.
  while ((await admin.listTopics()).some((topic) => topics.includes(topic)));
};

logSuite('three brokers by SASL over TLS', async () => {
  const config = configOf({ PERDURE_PREFIX: newPrefix() });
  const open = async () => (await openLogs(config)).of(SLICE);
  return {
    slice: SLICE,
    log: await open(),
    reopen: open,
    remake: async () => {
      await deleteTopics(config.prefix);
      return open();
    },
    close: async () => {
      await closeAll();
      await deleteTopics(config.prefix);
    },
  };
});

membershipSuite('three members of etcd by TLS, with certificates of clients', async () => {
  const config = configOf({ PERDURE_PREFIX: newPrefix() });
  return {
    open: () => openMembership(config),
    lose: async (id) => {
      const { kvs } = (await servers.etcd('/v3/kv/range', { key: btoa(`/${config.prefix}/nodes/${id}`) })) as { kvs: [{ lease: string }] };
      await servers.etcd('/v3/lease/revoke', { ID: kvs[0].lease });
    },
    close: closeAll,
  };
});

cockroachSuites('PostgreSQL by verify-full', () => configOf().postgres);

describe('A node', () => {
  afterEach(closeAll);

  it('makes topics on three brokers where it is told to', async () => {
    const config = configOf({ PERDURE_PREFIX: newPrefix(), PERDURE_KAFKA_REPLICATION: '3' });
    await openLogs(config);
    const { topics } = await admin.fetchTopicMetadata({ topics: [`${config.prefix}.history`] });
    expect(topics[0]!.partitions.map(({ replicas }) => replicas.length)).toEqual([3, 3, 3, 3]);
    await deleteTopics(config.prefix);
  });

  const byName = (text: string): string => text.replaceAll('127.0.0.1', 'localhost');
  const refusals = (): Readonly<Record<string, readonly [MeshConfig, readonly RegExp[]]>> => {
    const { PERDURE_KAFKA: kafka, PERDURE_ETCD: etcd, PERDURE_POSTGRES: postgres } = servers.environment as Record<string, string>;
    const untrusted = configOf({ PERDURE_KAFKA_CA: servers.strangersCertificate, PERDURE_ETCD_CA: servers.strangersCertificate, PERDURE_POSTGRES: postgres!.replace(/sslrootcert=.*/, `sslrootcert=${servers.strangersCertificate}`) });
    const unnamed = configOf({ PERDURE_KAFKA: byName(kafka!), PERDURE_ETCD: byName(etcd!), PERDURE_POSTGRES: byName(postgres!) });
    const stranger = configOf({ PERDURE_KAFKA_PASSWORD: 'wrong', PERDURE_ETCD_CERT: undefined, PERDURE_ETCD_KEY: undefined, PERDURE_POSTGRES: postgres!.replace(/:[^:@]*@/, ':wrong@') });
    return {
      'an authority that has not signed': [untrusted, [/unable to verify|self-signed/, /unable to verify|self-signed/, /unable to verify|self-signed/]],
      'a name that is not in the certificate': [unnamed, [/does not match certificate/, /does not match certificate/, /does not match certificate/]],
      'a wrong password, or no certificate': [stranger, [/uthentication/, /certificate required|other side closed/, /password authentication failed/]],
    };
  };

  it('trusts no server but by its certificate and name, and is trusted by none without its own or a password', async () => {
    // Each tries for as long as a server may take to start, so all at once.
    const outcomes = await Promise.all(Object.entries(refusals()).map(async ([what, [config, expected]]) => {
      const pool = keep(connectPool(config, connecting));
      const tried = await Promise.allSettled([openLogs(config), openMembership(config), pool.session((ask) => ask('select 1'))]);
      return { what, expected, said: tried.map((each) => (each.status === 'fulfilled' ? 'let in' : causes(each.reason).join('\n'))) };
    }));
    for (const { what, expected, said } of outcomes) expect([what, ...said]).toEqual([what, ...expected.map((each) => expect.stringMatching(each))]);
  });

  it('is a user of etcd where it has users, also when etcd has forgotten its token', async () => {
    const { prefix } = configOf({ PERDURE_PREFIX: newPrefix() });
    const [range, end] = [btoa(`/${prefix}/`), btoa(`/${prefix}0`)];
    await servers.etcd('/v3/auth/user/add', { name: 'root', password: 'root' });
    await servers.etcd('/v3/auth/role/add', { name: 'root' });
    await servers.etcd('/v3/auth/user/grant', { user: 'root', role: 'root' });
    await servers.etcd('/v3/auth/role/add', { name: prefix });
    await servers.etcd('/v3/auth/role/grant', { name: prefix, perm: { permType: 'READWRITE', key: range, range_end: end } });
    await servers.etcd('/v3/auth/user/add', { name: prefix, password: 'secret' });
    await servers.etcd('/v3/auth/user/grant', { user: prefix, role: prefix });
    await servers.etcd('/v3/auth/enable', {});
    const asRoot = async (): Promise<string> => (await servers.etcd('/v3/auth/authenticate', { name: 'root', password: 'root' }))['token'] as string;
    try {
      const config = configOf({ PERDURE_PREFIX: prefix, PERDURE_ETCD_USER: prefix, PERDURE_ETCD_PASSWORD: 'secret' });
      const [one, other] = [await openMembership(config), await openMembership(config)];
      await servers.etcd('/v3/auth/user/changepw', { name: prefix, password: 'secret' }, await asRoot());
      await one.join(nodeOf('a'));
      await listed(other, ['a']);
      expect(idsIn(other)).toEqual(['a']);
      await expect(servers.etcd('/v3/kv/range', { key: range })).rejects.toThrow('permission denied');
    } finally {
      await servers.etcd('/v3/auth/disable', {}, await asRoot());
    }
  });
});

/** Until each log has all its copies again. */
const replicated = async (topic: string): Promise<void> => {
  for (;;) {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    if (topics[0]!.partitions.every(({ isr }) => isr.length === 3)) return;
  }
};

describe('A cluster', () => {
  afterEach(closeAll);

  it('of brokers loses nothing that was acknowledged with one of them, then another, and appends and reads go on without it', async () => {
    const settings = { PERDURE_PREFIX: newPrefix(), PERDURE_KAFKA_REPLICATION: '3' };
    await openLogs(configOf(settings));
    const { topics: [topic] } = await admin.fetchTopicMetadata({ topics: [`${settings.PERDURE_PREFIX}.history`] });
    const leader = topic!.partitions.find(({ partitionId }) => partitionId === sliceIndexOf(SLICE))!.leader - 1;
    // The first to be killed is the one that leads, and that is asked first.
    const brokers = [...servers.brokers.slice(leader), ...servers.brokers.slice(0, leader)];
    const config = configOf({ ...settings, PERDURE_KAFKA: brokers.map(({ address }) => address).join(',') });
    const processes = [await openLogs(config), await openLogs(config)];
    const followed = (await openLogs(config)).of(SLICE);
    const load = new AppendLoad(processes.map((logs) => logs.of(SLICE)), 8);
    let read = 0;
    const reading = follow(followed, {
      isEnough: (found) => {
        read = found.length;
        return hasLast(found);
      },
    });
    for (const broker of brokers.slice(0, 2)) {
      await load.grow(100);
      await broker.kill();
      await load.grow(100);
      for (const before = read; read < before + 100; ) await load.grow(1);
      await broker.restart();
      await replicated(`${config.prefix}.history`);
    }
    await load.end();
    const records = await reading;
    load.expectWhole(records);
    expect((await readAll((await openLogs(config)).of(SLICE))).map(({ id }) => id)).toEqual(records.map(({ id }) => id));
    await closeAll();
    await deleteTopics(config.prefix);
  });

  it('of etcd keeps its list without any of its members, and changes of it are heard of', async () => {
    const config = configOf({ PERDURE_PREFIX: newPrefix() });
    const [staying, coming] = [await openMembership(config), await openMembership(config)];
    await staying.join(nodeOf('a'));
    await listed(coming, ['a']);
    const told: string[][] = [];
    for (const each of [staying, coming]) each.onChange(() => told.push(idsIn(each)));
    for (const member of servers.members) {
      await member.kill();
      await coming.join(nodeOf('b'));
      await listed(staying, ['a', 'b']);
      await coming.leave();
      await listed(staying, ['a']);
      await member.restart();
    }
    expect(told.filter((ids) => !ids.includes('a'))).toEqual([]);
  });
});

/** What it says, and what was behind that. */
const causes = (error: unknown): string[] => {
  if (!(error instanceof Error)) return error === undefined ? [] : [String(error)];
  const all = [error.cause, ...('errors' in error && Array.isArray(error.errors) ? (error.errors as unknown[]) : [])];
  return [error.message, ...('code' in error ? [String(error.code)] : []), ...('apiId' in error ? [String(error.apiId)] : []), ...all.flatMap(causes)];
};
