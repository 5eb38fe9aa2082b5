import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readMeshConfig } from './config.js';

const ENV = { PERDURE_PORT: '8080', PERDURE_POSTGRES: 'postgres://p', PERDURE_KAFKA: 'k:1', PERDURE_ETCD: 'e:1', APP_API_TOKEN: '0123456789abcdef' };

const folder = mkdtempSync(join(tmpdir(), 'perdure-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
/** The text, and a file that has it. */
const pemIn = (name: string): readonly [string, string] => {
  const [text, path] = [`-----BEGIN ${name}-----`, join(folder, name)];
  writeFileSync(path, text);
  return [text, path];
};

describe('readMeshConfig', () => {
  it('takes the standard variables of OpenTelemetry, and names the sender by its service', () => {
    expect(readMeshConfig('scheduler', ENV).traces).toBeUndefined();
    const traced = { ...ENV, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' };
    expect(readMeshConfig('scheduler', traced).traces).toMatchObject({ url: 'http://c:4318/v1/traces', resource: { 'service.name': 'perdure-scheduler' } });
    expect(readMeshConfig('scheduler', { ...traced, OTEL_SERVICE_NAME: 'shop' }).traces?.resource['service.name']).toBe('shop');
    expect(() => readMeshConfig('scheduler', { ...ENV, OTEL_TRACES_SAMPLER: 'sometimes' })).toThrow('OTEL_TRACES_SAMPLER');
  });

  it('archives logs only where it is told to', () => {
    expect(readMeshConfig('scheduler', ENV).archive).toBeUndefined();
    expect(readMeshConfig('scheduler', { ...ENV, PERDURE_LOG_ARCHIVE: 's3://b/p', PERDURE_LOG_ARCHIVE_ENDPOINT: 'http://s:1', AWS_REGION: 'r', PERDURE_LOG_ARCHIVE_AFTER_SECONDS: '1.5' }).archive).toEqual({ place: { kind: 's3', bucket: 'b', prefix: 'p' }, endpoint: 'http://s:1', region: 'r', afterMs: 1_500 });
    expect(readMeshConfig('scheduler', { ...ENV, PERDURE_LOG_ARCHIVE: 'file:///a' }).archive).toEqual({ place: { kind: 'folder', path: '/a' }, afterMs: 600_000 });
    expect(() => readMeshConfig('scheduler', { ...ENV, PERDURE_LOG_ARCHIVE: '/a' })).toThrow('PERDURE_LOG_ARCHIVE');
    expect(() => readMeshConfig('scheduler', { ...ENV, PERDURE_LOG_ARCHIVE_ENDPOINT: 's:1' })).toThrow('PERDURE_LOG_ARCHIVE_ENDPOINT');
  });

  it('speaks to Kafka and etcd in the clear and as nobody, unless it is told otherwise', () => {
    expect(readMeshConfig('scheduler', ENV)).toMatchObject({ kafkaSecurity: {}, etcdSecurity: {} });
    const [[ca, caFile], [cert, certFile], [key, keyFile]] = [pemIn('CA'), pemIn('CERT'), pemIn('KEY')];
    const kafka = { PERDURE_KAFKA_TLS: 'on', PERDURE_KAFKA_CA: caFile, PERDURE_KAFKA_CERT: certFile, PERDURE_KAFKA_KEY: keyFile, PERDURE_KAFKA_SASL: 'SCRAM-SHA-256', PERDURE_KAFKA_USER: 'u', PERDURE_KAFKA_PASSWORD: 'p', PERDURE_KAFKA_REPLICATION: '3' };
    const etcd = { PERDURE_ETCD: 'https://e:1', PERDURE_ETCD_CA: caFile, PERDURE_ETCD_CERT: certFile, PERDURE_ETCD_KEY: keyFile, PERDURE_ETCD_USER: 'n', PERDURE_ETCD_PASSWORD: 'p' };
    const config = readMeshConfig('scheduler', { ...ENV, ...kafka, ...etcd });
    expect(config).toMatchObject({ kafkaSecurity: { tls: { ca, cert, key }, sasl: { mechanism: 'SCRAM-SHA-256', username: 'u', password: 'p' } }, kafkaReplication: 3, etcdSecurity: { tls: { ca, cert, key }, user: { name: 'n', password: 'p' } } });
    expect(readMeshConfig('scheduler', { ...ENV, PERDURE_KAFKA_TLS: 'on' }).kafkaSecurity).toEqual({ tls: {} });
  });

  it.each([
    ['PERDURE_POSTGRES', 'x y'], ['PERDURE_POSTGRES', 'mysql://h/d'], ['PERDURE_POSTGRES', 'postgres://h:99999/d'],
    ['PERDURE_KAFKA', 'k'], ['PERDURE_KAFKA', 'a:1,'], ['PERDURE_KAFKA', 'a:1, b'], ['PERDURE_KAFKA', 'http://a:1'], ['PERDURE_KAFKA', 'a:99999'],
    ['PERDURE_ETCD', 'e'], ['PERDURE_ETCD', 'x y:1'], ['PERDURE_ETCD', 'ftp://e:1'], ['PERDURE_ETCD', 'https://e:99999'],
  ])('refuses what is no address by its name: %s=%s', (name, value) => expect(() => readMeshConfig('scheduler', { ...ENV, [name]: value })).toThrow(new RegExp(`^environment: ${name}: is [^;]+$`)));

  it('takes addresses as servers have them', () => {
    const env = { PERDURE_POSTGRES: 'postgresql://u:a b@[::1]:5432/d?sslmode=verify-full', PERDURE_KAFKA: '10.0.0.1:9092, kafka-1.example.com:9093,[::1]:1', PERDURE_ETCD: 'https://etcd.example.com,http://e:1/,[::1]:2379' };
    expect(readMeshConfig('scheduler', { ...ENV, ...env })).toMatchObject({ kafka: ['10.0.0.1:9092', 'kafka-1.example.com:9093', '[::1]:1'], etcd: ['https://etcd.example.com', 'http://e:1/', '[::1]:2379'] });
  });

  it('refuses what would leave a server less secured than somebody thought', () => {
    const [, file] = pemIn('CA');
    const refusals = [
      [{ PERDURE_KAFKA_CA: file }, 'PERDURE_KAFKA_CA: counts only with PERDURE_KAFKA_TLS=on'],
      [{ PERDURE_KAFKA_TLS: 'on', PERDURE_KAFKA_CERT: file }, 'PERDURE_KAFKA_CERT: needs PERDURE_KAFKA_KEY'],
      [{ PERDURE_KAFKA_USER: 'u', PERDURE_KAFKA_PASSWORD: 'p' }, 'PERDURE_KAFKA_USER: needs PERDURE_KAFKA_SASL'],
      [{ PERDURE_KAFKA_TLS: 'on', PERDURE_KAFKA_CA: join(folder, 'none') }, 'PERDURE_KAFKA_CA: '],
      [{ PERDURE_KAFKA_TLS: 'on', PERDURE_KAFKA_CA: import.meta.filename.replace('config.spec.ts', 'mesh-limits.ts') }, 'is not in PEM'],
      [{ PERDURE_ETCD: 'https://a:1,b:1', PERDURE_ETCD_CA: file }, 'PERDURE_ETCD_CA: PERDURE_ETCD has b:1, and only https:// is TLS'],
      [{ PERDURE_ETCD: 'https://a:1', PERDURE_ETCD_KEY: file }, 'PERDURE_ETCD_KEY: needs PERDURE_ETCD_CERT'],
      [{ PERDURE_ETCD_USER: 'u' }, 'PERDURE_ETCD_USER: needs PERDURE_ETCD_PASSWORD'],
    ] as const;
    for (const [env, why] of refusals) expect(() => readMeshConfig('scheduler', { ...ENV, ...env })).toThrow(why);
  });
});
