import { describe, expect, it } from '@jest/globals';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { ManualClock } from '@perdure/clock';
import { QuietExporter } from './quiet-exporter.js';

describe('QuietExporter', () => {
  it('warns of a collector that is away once a minute, with what was lost since the start, and is no error to others', () => {
    const clock = new ManualClock(1_000);
    const warnings: object[] = [];
    const dead = { export: (_: ReadableSpan[], done: (result: { code: number; error?: Error }) => void) => done({ code: 1, error: new Error('refused') }), shutdown: async () => undefined } as SpanExporter;
    const exporter = new QuietExporter({ exporter: dead, clock, warn: (fields) => warnings.push(fields) });
    const codes: number[] = [];
    const send = (count: number): void => exporter.export(Array.from({ length: count }, () => ({}) as ReadableSpan), ({ code }) => codes.push(code));
    send(2);
    send(3);
    expect(warnings).toEqual([{ spansLost: 2, why: 'refused' }]);
    clock.advanceTo(61_000);
    send(1);
    expect(warnings.slice(1)).toEqual([{ spansLost: 6, why: 'refused' }]);
    expect(codes).toEqual([0, 0, 0]);
  });
});
