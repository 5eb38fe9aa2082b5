import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ServerProcess } from './process/server-process.js';
import { startToxiproxy } from './servers/toxiproxy.js';
import { type Direction, Link, Toxiproxy } from './toxiproxy-client.js';

const SILENCE_MS = 300;
const LATE_MS = 400;

describe('Toxiproxy', () => {
  let proxy: ServerProcess;
  let server: Server;
  let link: Link;
  let client: Socket;
  /** What the server has heard; it answers each piece with the same. */
  let heard: string;

  beforeAll(async () => {
    const path = process.env['PERDURE_TEST_TOXIPROXY'];
    if (!path) throw new Error('PERDURE_TEST_TOXIPROXY is not set: run npm run test:mesh');
    proxy = await startToxiproxy({ program: { name: 'toxiproxy', version: 'as given', path, from: 'machine' } });
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (piece) => {
        heard += piece.toString();
        socket.write(piece);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    link = await new Toxiproxy(proxy.address).link({ name: 'echo', to: `127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
  afterAll(async () => {
    await proxy?.stop();
    server?.close();
  });
  beforeEach(async () => {
    heard = '';
    client = await dial();
  });
  afterEach(async () => {
    client.destroy();
    await link.heal();
  });

  async function dial(): Promise<Socket> {
    const [host = '', port = ''] = link.address.split(':');
    const socket = connect({ host, port: Number(port) });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }
  const say = async (word: string): Promise<string> => {
    const answer = once(client, 'data') as Promise<[Buffer]>;
    client.write(word);
    return (await answer)[0].toString();
  };
  const silence = (): Promise<string> => after(SILENCE_MS, 'silence');

  it('lets all through while nothing is done to it', async () => expect(await say('word')).toBe('word'));

  it.each([
    ['toServer', ''],
    ['toClient', 'word'],
  ] as const)('is cut in one direction: %s', async (direction, reached) => {
    await link.cut(direction);
    expect(await Promise.race([say('word'), silence()])).toBe('silence');
    expect(heard).toBe(reached);
    const closed = once(client, 'close');
    await link.heal();
    await closed;
    client = await dial();
    expect(await say('again')).toBe('again');
  });

  it.each(['toServer', 'toClient'] as const)('is slow in one direction: %s', async (direction: Direction) => {
    await link.slow(direction, { latencyMs: LATE_MS });
    const begun = performance.now();
    expect(await say('word')).toBe('word');
    expect(performance.now() - begun).toBeGreaterThanOrEqual(LATE_MS - 5);
  });

  it('refuses connections while it is closed', async () => {
    const closed = once(client, 'close');
    await link.close();
    await closed;
    const [host = '', port = ''] = link.address.split(':');
    await expect(once(connect({ host, port: Number(port) }), 'connect')).rejects.toThrow('ECONNREFUSED');
    await link.heal();
    client = await dial();
    expect(await say('word')).toBe('word');
  });
});
