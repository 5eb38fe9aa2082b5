import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { DaprSidecar, type DaprSidecarOptions } from './dapr-sidecar.js';

const bodyOf = async (request: IncomingMessage): Promise<string> => Buffer.concat((await request.toArray()) as Buffer[]).toString();
const answer = (response: ServerResponse, status: number, body = '', type = 'application/json'): void => void response.writeHead(status, { 'content-type': type }).end(body);
const refusal = (errorCode: string, message = ''): string => JSON.stringify({ errorCode, message });

describe('DaprSidecar', () => {
  let server: Server;
  let sidecar: DaprSidecar;
  const clock = new ManualClock();

  const open = async (listener: RequestListener, options: Partial<DaprSidecarOptions> = {}): Promise<void> => {
    server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    sidecar = new DaprSidecar({ host: '127.0.0.1', httpPort: (server.address() as AddressInfo).port, clock, ...options });
  };

  afterEach(async () => {
    await sidecar.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('calls an app with verb, path, body and headers, and gives back what it answered, also when that is no', async () => {
    const seen: unknown[] = [];
    await open(async (request, response) => {
      seen.push([request.method, request.url, request.headers['content-type'], request.headers['dapr-api-token'], request.headers['traceparent'], await bodyOf(request)]);
      answer(response, 409, '{"code":"workflow-exists"}', 'application/problem+json');
    }, { apiToken: 'secret' });
    const { status, isSuccess, headers, ...rest } = await sidecar.invoke({ appId: 'ingestion', method: 'v1/workflows?a=1' }, { a: 1 }, { headers: { traceparent: '00-a' } });
    expect([status, isSuccess, headers['content-type'], rest.body.toString()]).toEqual([409, false, 'application/problem+json', '{"code":"workflow-exists"}']);
    expect((await sidecar.invoke({ appId: 'ingestion', method: 'v1/workflows', verb: 'GET' })).json()).toEqual({ code: 'workflow-exists' });
    expect(seen).toEqual([
      ['POST', '/v1.0/invoke/ingestion/method/v1/workflows?a=1', 'application/json', 'secret', '00-a', '{"a":1}'],
      ['GET', '/v1.0/invoke/ingestion/method/v1/workflows', undefined, 'secret', undefined, ''],
    ]);
  });

  it.each([
    [500, refusal('ERR_DIRECT_INVOKE', "couldn't find service: nobody"), 'unavailable', true],
    [403, refusal('ERR_DIRECT_INVOKE', 'access control policy has denied access'), 'forbidden', false],
    [500, refusal('ERR_DIRECT_INVOKE', 'grpc: received message larger than max (5 vs. 4)'), 'payload-too-large', false],
    [404, refusal('ERR_PUBSUB_NOT_FOUND'), 'internal', false],
  ])('tells a refusal of the sidecar itself: %i %s is %s', async (status, body, code, retryable) => {
    await open((_request, response) => answer(response, status, body));
    await expect(sidecar.invoke({ appId: 'nobody', method: 'x' })).rejects.toMatchObject({ code, retryable });
    await expect(sidecar.publish({ pubsub: 'pubsub', topic: 'a' }, { event: {} })).rejects.toMatchObject({ code, retryable });
  });

  it('takes an answer of the app for the app\'s, whatever it looks like', async () => {
    await open((_request, response) => answer(response, 500, refusal('ERR_DIRECT_INVOKE'), 'application/problem+json'));
    expect((await sidecar.invoke({ appId: 'a', method: 'x' })).status).toBe(500);
  });

  it('says so when the sidecar is not there, or goes away', async () => {
    await open((request) => request.socket.destroy());
    await expect(sidecar.invoke({ appId: 'a', method: 'x' })).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    expect(await sidecar.ready()).toBe(false);
    const nobody = new DaprSidecar({ host: '127.0.0.1', httpPort: 1, clock });
    await expect(nobody.invoke({ appId: 'a', method: 'x' })).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    await nobody.close();
  });

  it('waits for no answer longer than its deadline, also in the midst of it, nor longer than its caller', async () => {
    const arrived: (() => void)[] = [];
    await open((request, response) => {
      if (request.url!.endsWith('half')) response.writeHead(200).write('half');
      arrived.shift()?.();
    });
    for (const method of ['silent', 'half']) {
      const here = new Promise<void>((resolve) => arrived.push(resolve));
      const call = sidecar.invoke({ appId: 'a', method }, undefined, { timeoutMs: 500 });
      const refused = expect(call).rejects.toMatchObject({ code: 'unavailable', message: 'No answer of the sidecar within 500 ms.' });
      await here;
      clock.advanceBy(500);
      await refused;
    }
    const caller = new AbortController();
    const call = sidecar.invoke({ appId: 'a', method: 'silent' }, undefined, { signal: caller.signal });
    caller.abort();
    await expect(call).rejects.toMatchObject({ code: 'unavailable' });
    expect(clock.next()).toBeUndefined();
  });

  it('has no more calls open than it may', async () => {
    const held: ServerResponse[] = [];
    let here = (): void => undefined;
    const arrived = new Promise<void>((resolve) => (here = resolve));
    await open((request, response) => {
      if (request.url!.endsWith('next')) return answer(response, 200);
      held.push(response);
      here();
    }, { callsMax: 1 });
    const first = sidecar.invoke({ appId: 'a', method: 'first' });
    await arrived;
    await expect(sidecar.invoke({ appId: 'a', method: 'next' })).rejects.toMatchObject({ code: 'overloaded' });
    answer(held[0]!, 200);
    await first;
    expect((await sidecar.invoke({ appId: 'a', method: 'next' })).status).toBe(200);
  });

  it('uses its connections again', async () => {
    const sockets = new Set<unknown>();
    await open((request, response) => void (sockets.add(request.socket), request.resume(), answer(response, 200)));
    for (let index = 0; index < 20; index++) await sidecar.invoke({ appId: 'a', method: 'x' }, { index });
    // The pool may open a second while the first is being given back.
    expect(sockets.size).toBeLessThanOrEqual(2);
  });

  it('publishes one or many events, with their partition keys', async () => {
    const seen: unknown[] = [];
    await open(async (request, response) => void (seen.push([request.url, JSON.parse(await bodyOf(request))]), response.writeHead(204).end()));
    await sidecar.publish({ pubsub: 'pubsub', topic: 'a' }, { event: { a: 1 }, partitionKey: 'history/1' });
    await sidecar.publishBulk({ pubsub: 'pubsub', topic: 'a' }, [{ event: { a: 1 }, partitionKey: 'k"' }, { event: '{"b":2}' }]);
    expect(seen).toEqual([
      ['/v1.0/publish/pubsub/a?metadata.partitionKey=history%2F1', { a: 1 }],
      ['/v1.0/publish/bulk/pubsub/a', [{ entryId: '0', contentType: 'application/json', event: { a: 1 }, metadata: { partitionKey: 'k"' } }, { entryId: '1', contentType: 'application/json', event: { b: 2 } }]],
    ]);
  });
});
