import { describe, expect, it } from '@jest/globals';
import { SoleTenantAuthenticator } from './authenticators.js';

describe('a server without keys', () => {
  const authenticator = new SoleTenantAuthenticator('demo');

  it.each([
    [{}],
    [{ host: 'localhost:8080' }],
    [{ host: '127.0.0.1' }],
    [{ host: '[::1]:8080' }],
    [{ host: 'perdure.localhost:8080', origin: 'http://localhost:3000' }],
  ])('answers %j', (headers) => {
    expect(authenticator.authenticate(headers)).toEqual({ tenant: 'demo' });
  });

  it.each([
    [{ host: 'evil.example:8080' }, 'asked as localhost, not as "evil.example:8080"'],
    [{ host: '127.0.0.1.evil.example' }, 'asked as localhost'],
    [{ host: '10.0.0.7:8080' }, 'asked as localhost'],
    [{ host: '' }, 'asked as localhost'],
    [{ host: 'localhost:8080', origin: 'https://evil.example' }, 'no page of "https://evil.example" may ask'],
    [{ host: 'localhost:8080', origin: 'null' }, 'no page of "null" may ask'],
    [{ host: 'localhost:8080', 'perdure-tenant': 'other' }, 'not for tenant "other"'],
  ])('refuses %j', (headers, why) => {
    expect(() => authenticator.authenticate(headers)).toThrow(expect.objectContaining({ code: 'forbidden', message: expect.stringContaining(why) }));
  });
});
