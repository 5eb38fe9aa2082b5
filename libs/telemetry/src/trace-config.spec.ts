import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { toTraceConfig, TRACE_VARIABLES } from './trace-config.js';

const tracesOf = (env: Record<string, string>) => toTraceConfig(z.object(TRACE_VARIABLES).parse(env), { service: 'perdure' });

describe('the standard variables of OpenTelemetry', () => {
  it.each([{}, { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'true' }, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_TRACES_EXPORTER: 'none' }])('%j leave traces off', (env) => {
    expect(tracesOf(env as Record<string, string>)).toBeUndefined();
  });

  it('name the collector, and for traces another one', () => {
    expect(tracesOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/' })).toMatchObject({ url: 'http://c:4318/v1/traces', protocol: 'http/protobuf', sampler: 'parentbased_always_on', resource: { 'service.name': 'perdure' } });
    expect(tracesOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://t/in' })).toMatchObject({ url: 'https://t/in' });
  });

  it('are all heard', () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_EXPORTER_OTLP_HEADERS: 'a=1, b = x%20y', OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'a=2', OTEL_RESOURCE_ATTRIBUTES: 'service.name=shop,env=test', OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25', OTEL_EXPORTER_OTLP_TIMEOUT: '50', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json', OTEL_BSP_SCHEDULE_DELAY: '7', OTEL_BSP_MAX_QUEUE_SIZE: '8', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '9' };
    expect(tracesOf(env)).toEqual({ url: 'http://c:4318/v1/traces', protocol: 'http/json', headers: { a: '2', b: 'x y' }, timeoutMs: 50, resource: { 'service.name': 'shop', env: 'test' }, sampler: 'traceidratio', ratio: 0.25, delayMs: 7, queueMax: 8, batchMax: 9 });
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_TRACES_SAMPLER_ARG', '2'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'no-value'],
  ])('%s=%s is refused by name', (name, value) => {
    expect(() => tracesOf({ [name]: value })).toThrow(name);
  });
});
