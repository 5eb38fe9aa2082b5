import { describe, expect, it } from '@jest/globals';
import { EtcdFault, isTokenRefused } from './etcd-fault.js';

describe('isTokenRefused', () => {
  it('is what another token may mend', () => {
    expect(isTokenRefused(new EtcdFault('etcdserver: invalid auth token', { grpcCode: 16 }))).toBe(true);
    // Of a JWT.
    expect(isTokenRefused(new EtcdFault('etcdserver: revision of auth store is old', { grpcCode: 3 }))).toBe(true);
    expect(isTokenRefused(new EtcdFault('etcdserver: permission denied', { grpcCode: 7 }))).toBe(false);
    expect(isTokenRefused(new Error('revision of auth store is old'))).toBe(false);
  });
});
