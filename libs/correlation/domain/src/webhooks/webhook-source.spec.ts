import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { WebhookSources } from './webhook-source.js';

const NOW = 1_700_000_000_000;
const sources = new WebhookSources({
  github: { tenant: 'acme', scheme: { kind: 'github' }, secrets: ['new', 'old'] },
  carrier: { tenant: 'acme', scheme: { kind: 'standard' }, secrets: [`whsec_${Buffer.from('k').toString('base64')}`], keys: { tracking: 'body.data.tracking' } },
  plain: { tenant: 'acme', scheme: { kind: 'hmac', header: 'x-sig', algorithm: 'sha1', encoding: 'base64', prefix: '' }, secrets: ['s'] },
});

const github = (payload: object, secret = 'old', headers: Record<string, string> = {}) => {
  const body = Buffer.from(JSON.stringify(payload));
  return { nowMs: NOW, body, headers: { 'x-github-event': 'issues', 'x-github-delivery': 'd-1', 'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`, ...headers } };
};
const carrier = (payload: object, at = NOW / 1000) => {
  const body = Buffer.from(JSON.stringify(payload));
  return { nowMs: NOW, body, headers: { 'webhook-id': 'm-1', 'webhook-timestamp': String(at), 'webhook-signature': `v1,AAAA v1,${createHmac('sha256', 'k').update(`m-1.${at}.`).update(body).digest('base64')}` } };
};

describe('WebhookSources', () => {
  it('reads a GitHub delivery, signed with either secret', () => {
    const payload = { action: 'opened', repository: { full_name: 'a/b' }, issue: { number: 7 } };
    for (const secret of ['old', 'new']) {
      expect(sources.receive('github', github(payload, secret))).toMatchObject({ tenant: 'acme', source: '/webhooks/github', id: 'd-1', type: 'github.issues.opened', keys: { repository: 'a/b', number: 7, action: 'opened' }, data: payload });
    }
    expect(sources.receive('github', github({ zen: '' }, 'new', { 'x-github-event': 'ping' }))).toMatchObject({ type: 'github.ping', keys: {} });
  });

  it('reads a Standard Webhooks delivery with keys of its own', () => {
    expect(sources.receive('carrier', carrier({ type: 'carrier.delivered', timestamp: '2023-01-01T00:00:00Z', data: { tracking: 'T1' } }))).toMatchObject({ id: 'm-1', type: 'carrier.delivered', time: Date.parse('2023-01-01T00:00:00Z'), keys: { tracking: 'T1' } });
  });

  it('reads a plain HMAC delivery', () => {
    const body = Buffer.from('{"id":"x","type":"t"}');
    expect(sources.receive('plain', { nowMs: NOW, body, headers: { 'x-sig': createHmac('sha1', 's').update(body).digest('base64') } })).toMatchObject({ id: 'x', type: 't', time: NOW });
  });

  it.each([
    ['a wrong secret', 'github', github({}, 'wrong'), 'invalid-signature'],
    ['a changed body', 'github', { ...github({}), body: Buffer.from('{} ') }, 'invalid-signature'],
    ['no signature', 'github', { nowMs: NOW, body: Buffer.from('{}'), headers: {} }, 'invalid-signature'],
    ['another prefix', 'github', github({}, 'old', { 'x-hub-signature-256': 'sha1=00' }), 'invalid-signature'],
    ['a stale timestamp', 'carrier', carrier({}, NOW / 1000 - 301), 'invalid-signature'],
    ['a timestamp from the future', 'carrier', carrier({}, NOW / 1000 + 301), 'invalid-signature'],
    ['a timestamp that is none', 'carrier', { ...carrier({}), headers: { ...carrier({}).headers, 'webhook-timestamp': 'now' } }, 'invalid-signature'],
    ['an unknown source', 'nobody', github({}), 'unknown-source'],
    ['a body that is not JSON', 'plain', { nowMs: NOW, body: Buffer.from('{'), headers: { 'x-sig': createHmac('sha1', 's').update('{').digest('base64') } }, 'malformed-json'],
    ['a delivery without id', 'plain', { nowMs: NOW, body: Buffer.from('{"type":"t"}'), headers: { 'x-sig': createHmac('sha1', 's').update('{"type":"t"}').digest('base64') } }, 'invalid-request'],
  ])('refuses %s', (_, name, request, code) => {
    expect(() => sources.receive(name, request)).toThrow(expect.objectContaining({ code }));
  });
});
