import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Draws } from '../program/draws.js';
import { CuttingProxy, NO_CUTS } from './cutting-proxy.js';

describe('CuttingProxy', () => {
  let server: Server;
  let proxy: CuttingProxy;
  let url: string;
  /** Bodies that arrived whole. */
  let received: string[];

  beforeEach(async () => {
    received = [];
    server = createServer(async (request, response) => {
      try {
        let body = '';
        for await (const chunk of request) body += String(chunk);
        received.push(body);
        response.end(`got ${body}`);
      } catch {
        // It broke off.
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = new CuttingProxy((server.address() as AddressInfo).port, new Draws(1));
    url = await proxy.listen();
  });
  afterEach(async () => {
    await proxy.close();
    server.close();
  });

  const send = async (body: string): Promise<string> => (await fetch(url, { method: 'POST', body })).text();

  it('passes everything on when it is not told to cut', async () => {
    expect(await send('a')).toBe('got a');
    expect(proxy.done).toEqual({ answers: 0, requests: 0, delays: 0, refusals: 0 });
  });

  it('cuts answers after the work was done', async () => {
    proxy.cuts = { ...NO_CUTS, answers: 100 };
    await expect(send('a')).rejects.toThrow();
    expect(received).toEqual(['a']);
    proxy.cuts = NO_CUTS;
    expect(await send('b')).toBe('got b');
  });

  it('breaks requests off half way', async () => {
    proxy.cuts = { ...NO_CUTS, requests: 100 };
    await expect(send('a'.repeat(1_000))).rejects.toThrow();
    expect(received).toEqual([]);
  });

  it('refuses with 500 what it does not pass on', async () => {
    proxy.cuts = { ...NO_CUTS, refusals: 100 };
    expect((await fetch(url, { method: 'POST', body: 'a' })).status).toBe(500);
    expect([received, proxy.done.refusals]).toEqual([[], 1]);
  });

  it('brings delayed answers whole and in order', async () => {
    proxy.cuts = { ...NO_CUTS, delays: 60, delayMsMax: 20 };
    const body = 'x'.repeat(1_000_000);
    expect(await send(body)).toBe(`got ${body}`);
    expect(proxy.done.delays).toBeGreaterThan(0);
  });
});
