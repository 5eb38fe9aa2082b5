import { describe, expect, it } from '@jest/globals';
import type { Confirmation, Envelope } from '@perdure/delivery';
import { parseDeliveries } from './delivery-batch.js';

const run = { tenant: 't', workflowId: 'w', runId: 'r' };
const armTimer = { to: 'scheduler', kind: 'armTimer', run, seq: 1, dueMs: 5 } as const;
const envelope: Envelope = { source: 'history/3', destination: 'scheduler/0', mark: 1, messages: [{ number: 7, body: armTimer }] };
const confirmation: Confirmation = { source: 'history/3', destination: 'scheduler/0', numbers: [7] };
const withBody = (body: unknown, destination = 'scheduler/0'): unknown => ({ envelopes: [{ ...envelope, destination, messages: [{ number: 1, body }] }] });

describe('Deliveries', () => {
  it('are read as they were sent, and what a newer sender adds stays', () => {
    const newer = { ...envelope, messages: [{ number: 7, body: { ...armTimer, hint: { a: [1] } } }] };
    expect(parseDeliveries(JSON.parse(JSON.stringify({ envelopes: [newer], confirmations: [confirmation], since: 2 })))).toEqual({ envelopes: [newer], confirmations: [confirmation] });
    expect(parseDeliveries({ confirmations: [confirmation] })).toEqual({ envelopes: [], confirmations: [confirmation] });
  });

  it.each([
    ['no object', 'garbage', 'body: '],
    ['nothing', undefined, 'body: '],
    ['neither of the two', {}, 'neither envelopes nor confirmations'],
    ['a slice of nobody', { confirmations: [{ ...confirmation, source: 'ledger/1' }] }, 'confirmations.0.source: is no slice'],
    ['a slice with more to it', { confirmations: [{ ...confirmation, source: 'history/1/../2' }] }, 'confirmations.0.source: is no slice'],
    ['a number below 1', { confirmations: [{ ...confirmation, numbers: [0] }] }, 'confirmations.0.numbers.0'],
    ['no messages', { envelopes: [{ ...envelope, messages: [] }] }, 'envelopes.0.messages'],
    ['no mark', { envelopes: [{ ...envelope, mark: undefined }] }, 'envelopes.0.mark'],
    ['an unknown kind', withBody({ ...armTimer, kind: 'blowUp' }), 'envelopes.0.messages.0.body.kind'],
    ['no run', withBody({ ...armTimer, run: { tenant: 't' } }), 'envelopes.0.messages.0.body.run.workflowId'],
    ['a body for another service', withBody(armTimer, 'correlation/0'), 'envelopes.0.messages.0.body'],
    ['a message to a shard', withBody({ to: 'history', input: {} }, 'history/0'), 'is appended to its log'],
    ['too many', { confirmations: Array.from({ length: 10_001 }, () => confirmation) }, 'confirmations: '],
  ])('are refused with %s', (_what, body, where) => {
    expect(() => parseDeliveries(body)).toThrow(expect.objectContaining({ code: 'invalid-request', message: expect.stringContaining(where) }));
  });

  it('are refused as a whole for one that is wrong', () => {
    expect(() => parseDeliveries({ envelopes: [envelope, { ...envelope, mark: -1 }] })).toThrow('envelopes.1.mark');
  });
});
