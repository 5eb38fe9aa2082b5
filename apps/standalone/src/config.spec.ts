import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readConfig } from './config.js';

const KEYS = { apiKeys: [{ tenant: 'acme', sha256: '0'.repeat(64) }] };

describe('readConfig', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'perdure-config-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const written = (content: unknown): string => {
    const path = join(folder, 'perdure.json');
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };
  const read = (file?: unknown, env: NodeJS.ProcessEnv = {}) => readConfig({ ...(file === undefined ? {} : { PERDURE_CONFIG: written(file) }), ...env });

  it('needs nothing', () => {
    expect(read()).toMatchObject({ host: '127.0.0.1', port: 8080, tenant: 'demo', samples: true, apiKeys: [], webhooks: {} });
  });

  it('tells of what is no setting, and of no setting of clients or secret', () => {
    const webhooks = { github: { tenant: 'acme', scheme: { kind: 'github' }, secrets: [{ env: 'PERDURE_GITHUB' }] } };
    const env = { PERDURE_SHARD: '2', PERDURE_SHARDS: '2', PERDURE_URL: 'http://localhost:8080', PERDURE_API_KEY: 'k', PERDURE_GITHUB: 'secret', PATH: '/bin' };
    expect(read({ ...KEYS, webhooks }, env).unknownSettings).toEqual(['PERDURE_SHARD']);
  });

  it('leaves the sample product out where there are keys, and says so when it is asked for', () => {
    expect(read(KEYS).samples).toBe(false);
    expect(() => read(KEYS, { PERDURE_SAMPLES: 'on' })).toThrow('the sample product has no API key');
  });

  it('runs activities itself for its sole tenant only', () => {
    expect(read(undefined, { PERDURE_ACTIVITIES: 'own.mjs' }).activities).toBe('own.mjs');
    expect(() => read(KEYS, { PERDURE_ACTIVITIES: 'own.mjs' })).toThrow('workers of its own');
  });

  it('listens elsewhere than on loopback only with keys', () => {
    expect(() => read(undefined, { PERDURE_HOST: '0.0.0.0' })).toThrow('PERDURE_HOST=0.0.0.0');
    expect(read(KEYS, { PERDURE_HOST: '0.0.0.0' }).host).toBe('0.0.0.0');
  });

  it('puts secrets in the place of their names, and lists those that have no value', () => {
    const source = (env: string) => ({ tenant: 'acme', scheme: { kind: 'github' }, secrets: [{ env }] });
    expect(read({ ...KEYS, webhooks: { github: source('S1') } }, { S1: 'a secret' }).webhooks['github']!.secrets).toEqual(['a secret']);
    expect(() => read({ ...KEYS, webhooks: { a: source('S1'), b: source('S2') } })).toThrow(/S1 \(webhook source "a"\), S2 \(webhook source "b"\)/);
  });

  it('refuses sources of tenants that nobody can be', () => {
    const of = (tenant: string) => ({ webhooks: { github: { tenant, scheme: { kind: 'github' }, secrets: ['s'] } } });
    expect(() => read(of('acme'))).toThrow('webhooks.github.tenant: "acme" is not the server\'s tenant, which is "demo"');
    expect(() => read({ ...KEYS, ...of('demo') })).toThrow('webhooks.github.tenant: "demo" has no API key');
    expect(read(of('acme'), { PERDURE_TENANT: 'acme' }).webhooks).toHaveProperty('github');
  });

  it.each([
    ['a file that is not there', () => readConfig({ PERDURE_CONFIG: join(folder, 'nowhere.json') }), 'nowhere.json cannot be read: ENOENT'],
    ['a file that is not JSON', () => read('{'), 'perdure.json cannot be read'],
    ['an unknown name', () => read({ apikeys: [] }), /perdure\.json: Unrecognized key: "apikeys"$/],
    ['a key instead of its hash', () => read({ apiKeys: [{ tenant: 'acme', sha256: 'secret' }] }), 'apiKeys.0.sha256: SHA-256'],
    ['a bad expression', () => read({ webhooks: { a: { tenant: 'acme', scheme: { kind: 'github' }, secrets: ['s'], type: 'body..type' } } }), 'webhooks.a.type'],
    ['what is empty', () => read(undefined, { PERDURE_PORT: '', PERDURE_DATA: ' ' }), 'PERDURE_PORT is empty; PERDURE_DATA is empty'],
    ['a port that is none', () => read(undefined, { PERDURE_PORT: '80808' }), 'PERDURE_PORT'],
  ] as const)('names %s', (_what, act, message) => {
    expect(act).toThrow(message);
  });
});
