import { describe, expect, it } from '@jest/globals';
import { readMeshConfig } from './config.js';

const ENV = { PERDURE_PORT: '8080', PERDURE_POSTGRES: 'postgres://p', PERDURE_KAFKA: 'k:1', PERDURE_ETCD: 'e:1', APP_API_TOKEN: '0123456789abcdef' };

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
});
