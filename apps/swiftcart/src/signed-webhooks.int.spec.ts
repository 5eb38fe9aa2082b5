import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { Webhook } from 'standardwebhooks';
import { SignedWebhooks } from './signed-webhooks.js';

const SECRET = `whsec_${Buffer.from('a secret for a test').toString('base64')}`;
const body = { type: 'carrier.delivered', tracking: 'SC-1' };

describe('SignedWebhooks', () => {
  let server: Server;
  let answers: number[];
  let got: { headers: IncomingMessage['headers']; text: string }[];

  beforeEach(async () => {
    got = [];
    server = createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      got.push({ headers: request.headers, text });
      response.writeHead(answers.shift() ?? 202).end('why');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.close();
  });

  const sender = (stopped = new AbortController().signal) =>
    new SignedWebhooks({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, secret: SECRET, clock: new ManualClock(Date.now()), stopped, tryAgainMs: 1 });

  it('signs by Standard Webhooks', async () => {
    answers = [];
    await sender().send({ id: 'e1', body });
    expect(new Webhook(SECRET).verify(got[0]!.text, got[0]!.headers as Record<string, string>)).toEqual(body);
    expect(got[0]!.headers['webhook-id']).toBe('e1');
  });

  it('sends again, under the same id, while the receiver is busy', async () => {
    answers = [503, 429];
    await sender().send({ id: 'e1', body });
    expect(got.map(({ headers }) => headers['webhook-id'])).toEqual(['e1', 'e1', 'e1']);
  });

  it('gives up at once when it is refused', async () => {
    answers = [401];
    await expect(sender().send({ id: 'e1', body })).rejects.toThrow('the webhook e1 was not taken: 401 why');
  });

  it('sends nothing once it is stopped', async () => {
    answers = [];
    await sender(AbortSignal.abort()).send({ id: 'e1', body });
    expect(got).toEqual([]);
  });
});
