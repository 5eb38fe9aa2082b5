import { describe, expect, it } from '@jest/globals';
import { DIALECTS } from './dialects.js';

describe('how Temporal is asked', () => {
  const { holds, isPending } = DIALECTS.temporal;
  const closed = (attributes: string, result: unknown): string => JSON.stringify({ history: { events: [{ [attributes]: { result: [result] } }] } });

  it('takes the result from the event that closes the history', () => {
    expect(holds({ status: 200, body: closed('workflowExecutionCompletedEventAttributes', 'a,b') }, 'a,b')).toBe(true);
    expect(holds({ status: 200, body: closed('workflowExecutionCompletedEventAttributes', 'a,a') }, 'a,b')).toBe(false);
  });

  it('asks again when the wait was over before the run was', () => {
    expect(isPending!({ status: 200, body: '{"history":{},"nextPageToken":"x"}' })).toBe(true);
    expect(isPending!({ status: 200, body: closed('workflowExecutionCompletedEventAttributes', 'a,b') })).toBe(false);
    expect(isPending!({ status: 404, body: '{}' })).toBe(false);
  });

  it('takes no other end, and no history without one, for a result', () => {
    expect(holds({ status: 200, body: closed('workflowExecutionFailedEventAttributes', 'a,b') }, 'a,b')).toBe(false);
    expect(holds({ status: 200, body: '{"history":{}}' }, 'a,b')).toBe(false);
    expect(holds({ status: 404, body: '{}' }, 'a,b')).toBe(false);
  });
});
