import { describe, expect, it } from '@jest/globals';
import { ActivityFailed, Cancelled, TerminalError, TimedOut } from './errors.js';
import { fromFailure, toFailure } from './failure.js';

describe('failures', () => {
  it('carry an error over and back', () => {
    const error = Object.assign(new RangeError('outer', { cause: new TerminalError('inner', { code: 'E1', details: { a: [1] } }) }), { details: { b: 1 } });
    const back = fromFailure(JSON.parse(JSON.stringify(toFailure(error))) as never) as Error & { details: unknown; cause: TerminalError };
    expect(back).toMatchObject({ name: 'RangeError', message: 'outer', details: { b: 1 }, stack: error.stack });
    expect(back.cause).toBeInstanceOf(TerminalError);
    expect(back.cause).toMatchObject({ code: 'E1', details: { a: [1] }, retryable: false });
  });

  it('give Cancelled and TimedOut their classes back', () => {
    expect(fromFailure({ type: 'Cancelled', message: 'x' })).toBeInstanceOf(Cancelled);
    expect(fromFailure({ type: 'TimedOut', message: 'x' })).toBeInstanceOf(TimedOut);
    expect(toFailure(new ActivityFailed('x', { activity: 'a' }))).toMatchObject({ type: 'ActivityFailed', message: 'x' });
  });

  it('show of an error what was given', () => {
    expect(Object.keys(new TimedOut('x'))).toEqual(['name']);
    expect(Object.keys(new ActivityFailed('x', { activity: 'a', code: 'E1' }))).toEqual(['code', 'name', 'activity']);
  });

  it('take whatever is thrown', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    const hostile = new Proxy({}, { get: () => { throw new Error('no'); } });
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    for (const thrown of [undefined, null, 5, 5n, Symbol('s'), () => 1, [], cyclic, hostile, revoked.proxy, Object.create(null), { toJSON: () => { throw new Error('no'); } }]) {
      expect(toFailure(thrown)).toMatchObject({ type: 'Error', message: expect.any(String) });
    }
    expect(toFailure('oops')).toEqual({ type: 'Error', message: 'oops' });
    expect(toFailure({ name: 'x', message: 'said' })).toEqual({ type: 'x', message: 'said' });
  });

  it('are bounded', () => {
    const loop = new Error('x'.repeat(100_000));
    loop.cause = loop;
    expect(JSON.stringify(toFailure(loop)).length).toBeLessThan(300_000);
    expect(JSON.stringify(toFailure(Object.assign(new Error('x'), { details: { f: 1n } })))).not.toContain('details');
  });
});
