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
});
