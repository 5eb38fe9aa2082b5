import { describe, expect, it } from '@jest/globals';
import { activity, completeLater, RetryableError, withActivity, type ActivityContext } from './index.js';

const context = (idempotencyKey: string): ActivityContext => ({
  idempotencyKey,
  attempt: 1,
  signal: new AbortController().signal,
  progress: undefined,
  heartbeat: () => undefined,
  info: { name: 'charge', run: { tenant: 't', workflowId: 'w', runId: 'r' }, workflowType: 'deliver', seq: 1, role: 'activity', queue: 'default', bundle: 'b', token: 'k', deadline: 0 },
});

describe('activity()', () => {
  it('is each attempt’s own, across awaits', async () => {
    const read = async (): Promise<string> => {
      await Promise.resolve();
      return activity().idempotencyKey;
    };
    expect(await Promise.all([withActivity(context('a'), read), withActivity(context('b'), read)])).toEqual(['a', 'b']);
  });

  it('says what to do when there is none', () => {
    expect(() => activity()).toThrow('outside of an activity');
  });

  it('offers errors that say when to try again, and a way to complete later', () => {
    expect(new RetryableError('later', { retryAfter: '2s', code: 'busy' })).toMatchObject({ name: 'RetryableError', retryAfterMs: 2_000, retryable: true, code: 'busy' });
    expect(() => completeLater()).toThrow(expect.objectContaining({ name: 'CompleteLater' }));
  });
});
