import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { askHttp } from './probes.js';

describe('askHttp', () => {
  let server: Server;
  afterEach(() => void server.close());
  const answering = async (status: number, body: string): Promise<string> => {
    server = createServer((_request, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it('takes a 2xx', async () => {
    await expect(askHttp(await answering(200, 'up'))).resolves.toBeUndefined();
  });

  it.each([
    [JSON.stringify({ type: `urn:${'x'.repeat(100)}`, detail: 'The slice is stopped.' }), 'it answers 503 The slice is stopped.'],
    ['y'.repeat(200), `it answers 503 ${'y'.repeat(100)}`],
    ['null', 'it answers 503 null'],
  ])('says why not: %s', async (body, message) => {
    await expect(askHttp(await answering(503, body))).rejects.toMatchObject({ message });
  });
});
