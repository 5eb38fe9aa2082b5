import { describe, expect, it } from '@jest/globals';
import type { Json } from '@perdure/contract';
import { eventTypeDeclaration, EventTypes } from './event-types.js';

const types = new EventTypes({ 'order.paid': eventTypeDeclaration.parse({ routingKey: 'order', keys: { order: 'data.order.id', shop: 'source', lines: 'data.lines' } }) });
const incoming = (type: string, data?: Json, more: Record<string, string> = {}) => ({ specversion: '1.0', id: '1', source: '/shop', type, ...(data === undefined ? {} : { data }), ...more });
const keysOf = (...args: Parameters<typeof incoming>) => types.toExternalEvent('acme', incoming(...args), 5).keys;

describe('EventTypes', () => {
  it('draws declared keys, and leaves out what is no scalar', () => {
    expect(keysOf('order.paid', { order: { id: 7 }, lines: [1] })).toEqual({ order: 7, shop: '/shop' });
    expect(keysOf('order.paid')).toEqual({ shop: '/shop' });
  });

  it('gives a type that nobody declared its subject and the scalars at the top of its data', () => {
    expect(keysOf('other', { a: 1, b: 'x', c: false, d: null, e: [1], subject: 'data' }, { subject: 's' })).toEqual({ a: 1, b: 'x', c: false, subject: 's' });
    expect(keysOf('other', { subject: 'data' })).toEqual({ subject: 'data' });
    expect(keysOf('other', [1])).toEqual({});
    expect(keysOf('constructor', { a: 1 })).toEqual({ a: 1 });
  });

  it('bounds keys: long ones are none where nobody declared them, and an error where somebody did', () => {
    const long = 'x'.repeat(513);
    expect(keysOf('other', { long, short: 1 })).toEqual({ short: 1 });
    expect(Object.keys(keysOf('other', Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, index]))))).toHaveLength(64);
    expect(() => keysOf('order.paid', { order: { id: long } })).toThrow(expect.objectContaining({ code: 'limit-exceeded' }));
  });

  it('takes the sender’s time, the time of arrival without one, and refuses what is none', () => {
    expect(types.toExternalEvent('acme', incoming('other', undefined, { time: '1970-01-01T00:00:01Z' }), 5).time).toBe(1000);
    expect(types.toExternalEvent('acme', incoming('other'), 5).time).toBe(5);
    expect(() => types.toExternalEvent('acme', incoming('other', undefined, { time: 'soon' }), 5)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
  });

  it('sends an event and the waits for it to one slice', () => {
    const event = types.toExternalEvent('acme', incoming('order.paid', { order: { id: 7 } }), 5);
    expect(types.sliceOfEvent(event)).toBe(types.sliceOfWait('acme', { type: 'order.paid', match: { order: 7, shop: '/shop' } }));
    expect(types.sliceOfEvent(event)).not.toBe(types.sliceOfWait('acme', { type: 'order.paid', match: { order: '7' } }));
    expect(types.sliceOfEvent(types.toExternalEvent('acme', incoming('other', { a: 1 }), 5))).toBe(types.sliceOfWait('acme', { type: 'other', match: {} }));
  });

  it('refuses a declaration whose expression does not parse, or whose routing key is no key', () => {
    expect(eventTypeDeclaration.safeParse({ keys: { order: 'data.[' } }).success).toBe(false);
    expect(eventTypeDeclaration.safeParse({ keys: { order: 'data.id' }, routingKey: 'shop' }).success).toBe(false);
  });
});
