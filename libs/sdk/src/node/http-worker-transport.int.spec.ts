import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { ManualClock } from '@perdure/clock';
import type { PollRequest } from '@perdure/contract';
import { WebSocketServer, type WebSocket } from 'ws';
import { HttpWorkerTransport } from './http-worker-transport.js';
import { PollLost } from './worker-transport.js';

const POLL: PollRequest = { worker: 'w', session: '1', queues: ['default'], slots: 1, holding: [], waitMs: 0 };
const NOTHING = '{"tasks":[],"cancel":[]}';
const RECEIPTS = '{"receipts":[{"token":"t","status":"recorded"}]}';
const answerOf = (size: number): string => JSON.stringify({ token: 't', kind: 'completed', value: 'x'.repeat(size) });

/** A server that opens sockets, or refuses them with a status or in another way; it remembers what it was told by which way. */
class Peer {
  readonly messages: string[] = [];
  readonly requests: string[] = [];
  readonly sockets: WebSocket[] = [];
  readonly upgrades: IncomingMessage[] = [];
  refuseWith: number | 'a closed connection' | 'a socket that closes at once' | 'another protocol' | undefined;
  requestStatus = 200;
  /** Gives what follows the id. */
  reply: (call: string, body: string) => string | undefined = (call) => (call === 'poll' ? `200 ${NOTHING}` : `200 ${RECEIPTS}`);
  readonly url: Promise<string>;
  readonly #server: Server;
  readonly #upgrader = new WebSocketServer({ noServer: true });

  constructor() {
    this.#server = createServer((request, response) => {
      void text(request).then((body) => {
        this.requests.push(`${request.method} ${request.url} ${body.length}`);
        response.writeHead(body.length > 1_000_000 ? 413 : this.requestStatus, { 'content-type': 'application/json' });
        response.end(body.length > 1_000_000 ? '{"code":"payload-too-large","detail":"too long"}' : request.url!.endsWith('poll') ? NOTHING : RECEIPTS);
      });
    });
    this.#server.on('upgrade', (request: IncomingMessage, stream, head) => {
      this.upgrades.push(request);
      if (this.refuseWith === 'a closed connection') return void stream.destroy();
      if (this.refuseWith === 'another protocol') return void stream.end('HTTP/1.1 101 Yes\r\nconnection: upgrade\r\nupgrade: chat\r\n\r\n');
      if (this.refuseWith === 'a socket that closes at once') return void this.#upgrader.handleUpgrade(request, stream, head, (socket) => socket.terminate());
      if (this.refuseWith !== undefined) return void stream.end(`HTTP/1.1 ${this.refuseWith} No\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`);
      this.#upgrader.handleUpgrade(request, stream, head, (socket) => this.#open(socket));
    });
    this.url = new Promise((resolve) => this.#server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`)));
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #open(socket: WebSocket): void {
    this.sockets.push(socket);
    socket.on('message', (data: Buffer) => {
      const message = data.toString();
      this.messages.push(message);
      const [id = '', call = '', body = ''] = message.split(/ (.*?)(?: |$)(.*)/s);
      const reply = call === 'abort' ? undefined : this.reply(call, body);
      if (reply !== undefined) socket.send(`${id} ${reply}`);
    });
  }
}

describe('HttpWorkerTransport', () => {
  let peer: Peer;
  let clock: ManualClock;
  let transport: HttpWorkerTransport;
  beforeEach(async () => {
    peer = new Peer();
    clock = new ManualClock();
    transport = new HttpWorkerTransport({ url: await peer.url, tenant: 'acme', apiKey: 'k', clock });
  });
  afterEach(async () => {
    await transport.close();
    await peer.close();
  });

  const poll = (signal = new AbortController().signal) => transport.poll(POLL, signal);
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
  };

  it('sends all calls over one socket, with its credential', async () => {
    await Promise.all([poll(), transport.answer([answerOf(1)])]);
    await poll();
    expect(peer.messages).toEqual([`1 poll ${JSON.stringify(POLL)}`, `2 answers {"answers":[${answerOf(1)}]}`, `3 poll ${JSON.stringify(POLL)}`]);
    expect(peer.upgrades.map(({ url, headers }) => [url, headers.authorization, headers['perdure-tenant']])).toEqual([['/v1/tasks/socket', 'Bearer k', 'acme']]);
    expect(peer.requests).toEqual([]);
  });

  it.each([404, 400, 426, 200, 401, 403, 429, 502, 'a closed connection', 'a socket that closes at once', 'another protocol'] as const)('goes on with requests where sockets are refused with %s, and tries again later', async (how) => {
    peer.refuseWith = how;
    expect(await poll()).toEqual({ tasks: [], cancel: [] });
    await transport.answer([answerOf(1)]);
    expect(peer.requests).toEqual([expect.stringContaining('POST /v1/tasks/poll'), expect.stringContaining('POST /v1/tasks/answers')]);
    expect(peer.upgrades).toHaveLength(1);
    peer.refuseWith = undefined;
    clock.advanceBy(60_000);
    await poll();
    expect(peer.requests).toHaveLength(2);
  });

  it('tries a socket again with the next call while requests fail as well', async () => {
    peer.refuseWith = 502;
    peer.requestStatus = 502;
    await expect(poll()).rejects.toMatchObject({ retryable: true });
    peer.refuseWith = undefined;
    await poll();
    expect(peer.requests).toHaveLength(1);
  });

  it('takes the request’s word for what the credential is worth', async () => {
    peer.refuseWith = 403;
    peer.requestStatus = 401;
    await expect(poll()).rejects.toMatchObject({ code: 'unauthenticated', retryable: false });
  });

  it('tells apart errors that are final and those that pass', async () => {
    peer.reply = () => '400 {"code":"invalid-request","detail":"what is that"}';
    await expect(poll()).rejects.toMatchObject({ code: 'invalid-request', message: 'what is that', retryable: false });
    peer.reply = () => '503 {"code":"overloaded","detail":"later"}';
    await expect(poll()).rejects.toMatchObject({ code: 'overloaded', retryable: true });
  });

  it('fails what was open when the connection is lost, and connects anew', async () => {
    await poll();
    peer.reply = () => undefined;
    const open = [poll(), transport.answer([answerOf(1)])].map((call) => call.catch((error: unknown) => error));
    await until(() => peer.messages.length === 3);
    peer.sockets[0]!.terminate();
    for (const failed of await Promise.all(open)) expect(failed).toMatchObject({ code: 'unavailable' });
    peer.reply = () => `200 ${NOTHING}`;
    expect(await poll()).toEqual({ tasks: [], cancel: [] });
    expect(peer.sockets).toHaveLength(2);
  });

  it('says when a poll is given up', async () => {
    peer.reply = () => undefined;
    const giveUp = new AbortController();
    const open = poll(giveUp.signal).catch((error: unknown) => error);
    await until(() => peer.messages.length === 1);
    giveUp.abort();
    expect(await open).toMatchObject({ code: 'unavailable' });
    await until(() => peer.messages.length === 2);
    expect(peer.messages[1]).toBe('1 abort');
  });

  it('leaves a connection that lost a poll, and what else was open on it', async () => {
    await poll();
    peer.reply = () => undefined;
    const lost = new AbortController();
    const open = [poll(lost.signal), transport.answer([answerOf(1)])].map((call) => call.catch((error: unknown) => error));
    await until(() => peer.messages.length === 3);
    peer.reply = () => `200 ${NOTHING}`;
    lost.abort(new PollLost());
    expect(await poll()).toEqual({ tasks: [], cancel: [] });
    expect(peer.sockets).toHaveLength(2);
    for (const failed of await Promise.all(open)) expect(failed).toMatchObject({ code: 'unavailable' });
  });

  it('gives a poll up while it connects', async () => {
    const giveUp = new AbortController();
    const open = poll(giveUp.signal).catch((error: unknown) => error);
    giveUp.abort();
    expect(await open).toMatchObject({ code: 'unavailable' });
    await transport.answer([answerOf(1)]);
    expect(peer.messages).toEqual([expect.stringContaining('answers')]);
  });

  it('sends what is long as a request, which can be refused in words', async () => {
    await poll();
    await transport.answer([answerOf(300_000)]);
    expect(peer.requests).toHaveLength(1);
    await expect(transport.answer([answerOf(2_000_000)])).rejects.toMatchObject({ code: 'payload-too-large', retryable: false });
    expect(peer.messages).toHaveLength(1);
  });

  it('ends at once, open calls and all', async () => {
    peer.reply = () => undefined;
    const other = new HttpWorkerTransport({ url: await peer.url });
    const open = other.poll(POLL, new AbortController().signal).catch((error: unknown) => error);
    await until(() => peer.messages.length === 1);
    await other.close();
    expect(await open).toMatchObject({ code: 'unavailable' });
    // An attempt that was left running beats.
    await expect(other.heartbeat([{ token: 't' }])).rejects.toMatchObject({ code: 'unavailable' });
    expect(peer.upgrades).toHaveLength(1);
  });

  it('is unavailable while nobody listens', async () => {
    await peer.close();
    await expect(poll()).rejects.toMatchObject({ code: 'unavailable' });
  });
});
