import { describe, expect, it } from '@jest/globals';
import { isSampled, parseTraceparent, toTraceparent } from '@perdure/contract';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('a traceparent', () => {
  it.each(['00', '01', '02', '03'])('with flags %s is read and written', (flags) => {
    const context = parseTraceparent(`00-${TRACE}-${SPAN}-${flags}`)!;
    expect(context).toEqual({ traceId: TRACE, spanId: SPAN, sampled: flags === '01' || flags === '03' });
    expect(parseTraceparent(toTraceparent(context))).toEqual(context);
    expect(isSampled(toTraceparent(context))).toBe(context.sampled);
  });

  it.each(['', `00-${TRACE}-${SPAN}`, `01-${TRACE}-${SPAN}-01`, `00-${TRACE.toUpperCase()}-${SPAN}-01`, `00-${'0'.repeat(32)}-${SPAN}-01`, `00-${TRACE}-${'0'.repeat(16)}-01`, `00-${TRACE}-${SPAN}-01-more`])('%j is none', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});
