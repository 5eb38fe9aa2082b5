import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { request as rawRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Body, Controller, Get, Inject, Module, Post, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { PerdureError } from '@perdure/contract';
import { WebSocket } from 'ws';
import { addSocket, Authenticator, createHttpApp, type HttpApp, type OpenedBy, type Principal, type SocketRoute } from './index.js';
import { canChooseUpgrades } from './sockets.js';

/** Says whose it is, and everything twice. */
class Echo implements OnModuleInit, SocketRoute {
  readonly path = '/v1/echo';
  readonly sockets: WebSocket[] = [];
  readonly #host: HttpAdapterHost;

  constructor(@Inject(HttpAdapterHost) host: HttpAdapterHost) {
    this.#host = host;
  }
  onModuleInit(): void {
    addSocket(this.#host, this);
  }
  open(socket: WebSocket, { principal, closing }: OpenedBy): void {
    this.sockets.push(socket);
    socket.send(principal.tenant);
    socket.on('message', (data: Buffer) => socket.send(`${data.toString()}${data.toString()}`));
    closing.addEventListener('abort', () => socket.close(1_001));
  }
}

@Controller()
class Plain {
  @Post('v1/echo')
  echo(@Body() body: unknown): unknown {
    return body;
  }
  @Get('v1/other')
  other(): unknown {
    return { plain: true };
  }
}
@Module({ controllers: [Plain], providers: [Echo] })
class Root {}

class ByHeader extends Authenticator {
  override authenticate({ authorization }: { authorization?: string | undefined }): Principal {
    if (authorization !== 'Bearer k') throw new PerdureError('unauthenticated', 'no key');
    return { tenant: 'acme' };
  }
}

const KEY = { authorization: 'Bearer k' };

describe('Sockets', () => {
  let app: HttpApp;
  let origin: string;
  let isClosed = false;
  beforeEach(async () => {
    app = await createHttpApp(Root, { authenticator: new ByHeader(), bodyBytesMax: 100, bodyBytesMaxByPrefix: { '/v1/echo': 1_000 } });
    await app.nest.listen(0, '127.0.0.1');
    origin = `127.0.0.1:${(app.nest.getHttpServer().address() as AddressInfo).port}`;
    isClosed = false;
  });
  afterEach(async () => {
    if (!isClosed) await app.nest.close();
  });

  const connect = (path = '/v1/echo', headers: Record<string, string> = KEY): WebSocket => new WebSocket(`ws://${origin}${path}`, { headers });

  const next = async (socket: WebSocket): Promise<string> => String((await once(socket, 'message'))[0]);

  const refusal = async (socket: WebSocket) => {
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, import('node:http').IncomingMessage];
    return { status: response.statusCode, type: response.headers['content-type'], body: JSON.parse(await text(response)) as unknown };
  };

  it('opens one for a good credential, with its tenant, and carries what its path’s limit lets', async () => {
    const socket = connect('/v1/echo?a=b');
    expect(await next(socket)).toBe('acme');
    socket.send('x'.repeat(500));
    expect(await next(socket)).toBe('x'.repeat(1_000));
    socket.send('x'.repeat(1_001));
    expect((await once(socket, 'close'))[0]).toBe(1_009);
  });

  it('refuses a bad one as a request would be', async () => {
    expect(await refusal(connect('/v1/echo', {}))).toEqual({ status: 401, type: 'application/problem+json; charset=utf-8', body: expect.objectContaining({ code: 'unauthenticated', detail: 'no key' }) });
  });

  it('refuses a handshake that is none', async () => {
    const asked = rawRequest(`http://${origin}/v1/echo`, { method: 'POST', headers: { ...KEY, connection: 'Upgrade', upgrade: 'websocket' } });
    asked.end();
    const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
    expect([response.statusCode, response.headers['content-type'], JSON.parse(await text(response))]).toEqual([400, 'application/problem+json; charset=utf-8', expect.objectContaining({ code: 'invalid-request', detail: 'This opens no WebSocket: Invalid HTTP method' })]);
  });

  it('opens none anywhere else: the request stays one', async () => {
    expect(await refusal(connect('/v1/other'))).toMatchObject({ status: 200, body: { plain: true } });
    expect(await refusal(connect('/v1/nothing'))).toMatchObject({ status: 404, body: { code: 'unknown-route' } });
  });

  it('leaves a request alone that offers HTTP/2, as Java’s client does with each', async () => {
    const asked = rawRequest(`http://${origin}/v1/echo`, { method: 'POST', headers: { ...KEY, 'content-type': 'application/json', connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAEAAEAAAAIAAAAB' } });
    asked.end('{"a":1}');
    const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
    expect([response.statusCode, await text(response)]).toEqual([201, '{"a":1}']);
  });

  it('closes them before the server closes, whether the other side agrees or not', async () => {
    const polite = connect();
    await next(polite);
    const frozen = connect();
    await next(frozen);
    frozen.pause();
    const closed = once(polite, 'close');
    await app.nest.close();
    isClosed = true;
    expect((await closed)[0]).toBe(1_001);
    frozen.terminate();
  });

  it('does not hear who does not read, until it reads', async () => {
    const socket = connect();
    await next(socket);
    socket.pause();
    // Echoed twice over, that is far more than what connections hold.
    const sent = 50_000;
    for (let i = 0; i < sent; i++) socket.send('x'.repeat(400));
    const [served] = app.nest.get(Echo).sockets;
    while (!served!.isPaused) await new Promise((resolve) => setImmediate(resolve));
    let heard = 0;
    const all = new Promise<void>((resolve) => socket.on('message', () => ++heard === sent && resolve()));
    socket.resume();
    await all;
    socket.terminate();
  });

  it('opens them where Node can choose which requests become sockets', () => {
    expect(['20.20.2', '22.20.0', '22.21.0', '23.11.0', '24.8.0', '24.9.0', '26.10.0'].map((version) => canChooseUpgrades(version))).toEqual([false, false, true, false, false, true, true]);
  });
});
