import { describe, expect, it } from '@jest/globals';
import { serviceCallerOf } from './service-caller.js';

describe('The caller of an internal route', () => {
  it.each([
    ['history', 'history'],
    ['ingestion', 'ingestion'],
    ['shop', undefined],
    ['', undefined],
    // What the caller claims comes first, what its sidecar knows last.
    ['history, shop', undefined],
    ['shop, history', 'history'],
  ])('of "%s" is %s', (header, service) => expect(serviceCallerOf({ 'dapr-caller-app-id': header })).toBe(service));

  it('is nobody without a sidecar', () => {
    expect(serviceCallerOf({})).toBeUndefined();
    expect(serviceCallerOf({ 'dapr-caller-app-id': ['shop', 'scheduler'] })).toBe('scheduler');
  });
});
