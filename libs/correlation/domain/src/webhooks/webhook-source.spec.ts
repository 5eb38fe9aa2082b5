import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { resolveWebhookSources, webhookSourceDeclaration, WebhookSources } from './webhook-source.js';

const NOW = 1_700_000_000_000;
const webhookSourceOf = (declared: unknown) => resolveWebhookSources({ it: webhookSourceDeclaration.parse(declared) }, {})['it']!;
const sources = new WebhookSources({
  github: { tenant: 'acme', scheme: { kind: 'github' }, secrets: ['new', 'old'] },
  carrier: { tenant: 'acme', scheme: { kind: 'standard' }, secrets: [`whsec_${Buffer.from('k').toString('base64')}`], keys: { tracking: 'body.data.tracking' } },
  plain: { tenant: 'acme', scheme: { kind: 'hmac', header: 'x-sig', algorithm: 'sha1', encoding: 'base64', prefix: '' }, secrets: ['s'] },
  timed: webhookSourceOf({ tenant: 'acme', scheme: { kind: 'hmac', header: 'X-Slack-Signature', prefix: 'v0=', timestamp: { header: 'X-Slack-Request-Timestamp', signed: 'v0:{timestamp}:{body}' } }, secrets: ['s'], id: 'headers."x-slack-request-timestamp"', type: "'slack'", time: 'body.at' }),
  twoSecrets: { tenant: 'acme', scheme: { kind: 'standard' }, secrets: ['new', `whsec_${Buffer.from('k').toString('base64')}`] },
});

const github = (payload: object, secret = 'old', headers: Record<string, string> = {}) => {
  const body = Buffer.from(JSON.stringify(payload));
  return { nowMs: NOW, body, headers: { 'x-github-event': 'issues', 'x-github-delivery': 'd-1', 'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`, ...headers } };
};
const carrier = (payload: object, at = NOW / 1000) => {
  const body = Buffer.from(JSON.stringify(payload));
  return { nowMs: NOW, body, headers: { 'webhook-id': 'm-1', 'webhook-timestamp': String(at), 'webhook-signature': `v1,AAAA v1,${createHmac('sha256', 'k').update(`m-1.${at}.`).update(body).digest('base64')}` } };
};

const timed = (at: string, { signedAt = at, body = '{"at":1699999999}' } = {}) => ({
  nowMs: NOW,
  body: Buffer.from(body),
  headers: { 'x-slack-request-timestamp': at, 'x-slack-signature': `v0=${createHmac('sha256', 's').update(`v0:${signedAt}:${body}`).digest('hex')}` },
});

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

  it('reads a delivery whose time is signed with its body', () => {
    const at = String(NOW / 1000 - 300);
    expect(sources.receive('timed', timed(at))).toMatchObject({ id: at, type: 'slack', time: 1_699_999_999_000 });
    expect(sources.receive('timed', timed(at, { body: '{"$&":"{body}"}' }))).toMatchObject({ data: { '$&': '{body}' }, time: NOW });
  });

  it('takes either secret while one replaces the other, and any of several signatures', () => {
    expect(sources.receive('twoSecrets', carrier({ type: 't' }))).toMatchObject({ id: 'm-1', type: 't' });
  });

  it('knows a genuine delivery that is no event', () => {
    expect(sources.receive('carrier', carrier({ hello: 'there' }))).toBeUndefined();
  });

  it('verifies the published example of GitHub', () => {
    const example = new WebhookSources({ it: { tenant: 'acme', scheme: { kind: 'github' }, secrets: ["It's a Secret to Everybody"], type: "'t'", id: "'i'" } });
    const request = { nowMs: NOW, body: Buffer.from('Hello, World!'), headers: { 'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17' } };
    // It is genuine, and then turns out not to be JSON.
    expect(() => example.receive('it', request)).toThrow(expect.objectContaining({ code: 'malformed-json' }));
  });

  it.each([
    ['a wrong secret', 'github', github({}, 'wrong'), 'invalid-signature'],
    ['a changed body', 'github', { ...github({}), body: Buffer.from('{} ') }, 'invalid-signature'],
    ['no signature', 'github', { nowMs: NOW, body: Buffer.from('{}'), headers: {} }, 'invalid-signature'],
    ['another prefix', 'github', github({}, 'old', { 'x-hub-signature-256': 'sha1=00' }), 'invalid-signature'],
    ['a stale timestamp', 'carrier', carrier({}, NOW / 1000 - 301), 'invalid-signature'],
    ['a timestamp from the future', 'carrier', carrier({}, NOW / 1000 + 301), 'invalid-signature'],
    ['a timestamp that is none', 'carrier', { ...carrier({}), headers: { ...carrier({}).headers, 'webhook-timestamp': 'now' } }, 'invalid-signature'],
    ['a stale time of its own', 'timed', timed(String(NOW / 1000 - 301)), 'invalid-signature'],
    ['a time that was not signed', 'timed', timed(String(NOW / 1000), { signedAt: String(NOW / 1000 - 301) }), 'invalid-signature'],
    ['a time that is missing', 'timed', { ...timed('1'), headers: { 'x-slack-signature': 'v0=00' } }, 'invalid-signature'],
    ['half a signature', 'github', github({}, 'old', { 'x-hub-signature-256': `sha256=${createHmac('sha256', 'old').update('{}').digest('hex').slice(0, 32)}` }), 'invalid-signature'],
    ['an empty signature', 'github', github({}, 'old', { 'x-hub-signature-256': 'sha256=' }), 'invalid-signature'],
    ['a key too long to be one', 'github', github({ repository: { full_name: 'x'.repeat(513) } }), 'limit-exceeded'],
    ['a name that every object inherits', 'constructor', github({}), 'unknown-source'],
    ['an unknown source', 'nobody', github({}), 'unknown-source'],
    ['a body that is not JSON', 'plain', { nowMs: NOW, body: Buffer.from('{'), headers: { 'x-sig': createHmac('sha1', 's').update('{').digest('base64') } }, 'malformed-json'],
    ['a delivery without id', 'plain', { nowMs: NOW, body: Buffer.from('{"type":"t"}'), headers: { 'x-sig': createHmac('sha1', 's').update('{"type":"t"}').digest('base64') } }, 'invalid-request'],
  ])('refuses %s', (_, name, request, code) => {
    expect(() => sources.receive(name, request)).toThrow(expect.objectContaining({ code }));
  });
});

describe('webhook sources as declared', () => {
  const declared = (secrets: readonly unknown[]) => webhookSourceDeclaration.parse({ tenant: 'acme', scheme: { kind: 'github' }, secrets });

  it('takes secrets from the environment by name', () => {
    expect(resolveWebhookSources({ github: declared([{ env: 'NEW' }, { env: 'OLD' }]) }, { NEW: 'n', OLD: 'o' })['github']!.secrets).toEqual(['n', 'o']);
  });

  it('lists every secret that has no value', () => {
    expect(() => resolveWebhookSources({ a: declared([{ env: 'A' }]), b: declared([{ env: 'B' }]) }, { B: '' })).toThrow('A (webhook source "a"), B (webhook source "b")');
  });

  it.each([
    ['an expression that does not parse', { keys: { number: 'body.[' } }, 'keys'],
    ['a third secret', { secrets: ['a', 'b', 'c'] }, 'secrets'],
    ['an empty secret', { secrets: [''] }, 'secrets'],
    ['what is signed without the body', { scheme: { kind: 'hmac', header: 'h', timestamp: { header: 't', signed: '{timestamp}' } } }, 'signed'],
    ['a scheme that is none', { scheme: { kind: 'none' } }, 'scheme'],
    ['a word it does not know', { secret: 's' }, 'secret'],
  ])('refuses %s', (_, change, fault) => {
    const { success, error } = webhookSourceDeclaration.safeParse({ tenant: 'acme', scheme: { kind: 'github' }, secrets: ['s'], ...change });
    expect([success, JSON.stringify(error?.issues)]).toEqual([false, expect.stringContaining(fault)]);
  });
});
