import { existsSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { etcdProgram, kafkaProgram, obtain, postgresProgram, type ProgramRecipe, redisProgram, type ServerProcess, SilentProgress, startEtcd, startKafka, type StartOptions, startPostgres, startRedis } from './index.js';
import { redisCommand } from './testing/redis-command.js';

/** A word that a server is to remember, and what it remembers, as a client of that server does it. */
interface Client {
  write(address: string, word: string): Promise<void>;
  read(address: string): Promise<string | undefined>;
}

const ANSWER_MS_MAX = 1_000;

const etcd: Client = {
  async write(address, word) {
    await etcdCall(address, 'put', { key: btoa('word'), value: btoa(word) });
  },
  async read(address) {
    const { kvs } = (await etcdCall(address, 'range', { key: btoa('word') })) as { kvs?: { value: string }[] };
    return kvs?.[0] && atob(kvs[0].value);
  },
};

const etcdCall = async (address: string, what: string, body: object): Promise<unknown> => (await fetch(`http://${address}/v3/kv/${what}`, { method: 'POST', body: JSON.stringify(body) })).json();

const redis: Client = {
  async write(address, word) {
    await redisCommand(address, `SET word ${word}`);
  },
  async read(address) {
    return (await redisCommand(address, 'GET word')).split('\r\n')[1];
  },
};

const postgres: Client = {
  async write(address, word) {
    await withPostgres(address, async (client) => {
      await client.query('CREATE TABLE IF NOT EXISTS words (word text)');
      await client.query('INSERT INTO words VALUES ($1)', [word]);
    });
  },
  read: (address) => withPostgres(address, async (client) => (await client.query<{ word: string }>('SELECT word FROM words')).rows[0]?.word),
};

async function withPostgres<T>(connectionString: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Quick to give up: a broker that is down is to be seen to be down. */
const KAFKA_RETRY = { retries: 5, initialRetryTime: 50, maxRetryTime: 500 };

async function withKafka<T>(address: string, use: (kafka: Kafka, admin: Admin) => Promise<T>): Promise<T> {
  const client = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, retry: KAFKA_RETRY });
  const admin = client.admin();
  await admin.connect();
  try {
    return await use(client, admin);
  } finally {
    await admin.disconnect();
  }
}

/** It remembers a word as the name of the topic that has one record. */
const kafka: Client = {
  write: (address, word) =>
    withKafka(address, async (client, admin) => {
      await admin.createTopics({ topics: [{ topic: word, numPartitions: 1 }], waitForLeaders: true });
      const producer = client.producer();
      await producer.connect();
      await producer.send({ topic: word, acks: -1, messages: [{ value: word }] });
      await producer.disconnect();
    }),
  read: (address) =>
    withKafka(address, async (_client, admin) => {
      for (const topic of await admin.listTopics()) {
        const [partition] = await admin.fetchTopicOffsets(topic);
        if (partition?.high === '1') return topic;
      }
      return undefined;
    }),
};

const SERVERS: readonly [string, ProgramRecipe, (options: StartOptions) => Promise<ServerProcess>, Client][] = [
  ['etcd', etcdProgram, startEtcd, etcd],
  ['redis', redisProgram, startRedis, redis],
  ['postgres', postgresProgram, startPostgres, postgres],
  ['kafka', kafkaProgram, startKafka, kafka],
];

describe.each(SERVERS)('%s', (_name, recipe, start, client) => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await start({ program: await obtain(recipe, { progress: new SilentProgress() }) });
    await client.write(server.address, 'kept');
  });
  afterAll(() => server?.stop());

  it('keeps its port and its data when it is killed and started again', async () => {
    const [address, pid] = [server.address, server.pid];
    await server.kill();
    expect(server.pid).toBeUndefined();
    await expect(client.read(address)).rejects.toThrow();
    await server.restart();
    expect([server.address, server.pid === pid]).toEqual([address, false]);
    expect(await client.read(address)).toBe('kept');
  });

  it('stands still while it is paused, and goes on', async () => {
    const { address } = server;
    await server.pause();
    const reading = client.read(address);
    expect(await Promise.race([reading.catch(() => 'refused'), after(ANSWER_MS_MAX, 'silent')])).toBe('silent');
    server.resume();
    expect(await reading).toBe('kept');
  });

  it('leaves nothing behind when it is stopped, also while it is paused', async () => {
    const { folder, address } = server;
    await server.pause();
    await server.stop();
    expect(existsSync(folder)).toBe(false);
    await expect(client.read(address)).rejects.toThrow();
  });
});
