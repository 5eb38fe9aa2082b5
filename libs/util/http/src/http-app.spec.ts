import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Param, Post, Req, Res } from '@nestjs/common';
import { PerdureError } from '@perdure/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { abortWait, Authenticator, createHttpApp, Tenant, zod, type HttpApp, type Principal } from './index.js';

const schema = z.strictObject({ name: z.string(), data: z.unknown().optional() });

@Controller()
class Probe {
  @Post('v1/echo')
  echo(@Tenant() tenant: string, @Body(zod(schema)) body: z.output<typeof schema>): unknown {
    return { tenant, body };
  }
  @Post('v1/webhooks/:source')
  raw(@Req() request: FastifyRequest): unknown {
    return { bytes: (request.body as Buffer).toString('utf8') };
  }
  @Get('v1/broken')
  broken(): never {
    throw new Error('secret particulars');
  }
  @Get('v1/items/:name')
  item(@Param('name') name: string): never {
    throw new PerdureError('unknown-route', `There is no item ${name}.`);
  }
  @Get('v1/busy')
  busy(): never {
    throw new PerdureError('overloaded', 'too much');
  }
}
/** Holds its requests open as long as there is use in it. */
@Controller()
class Holding {
  static held: PromiseWithResolvers<void> = Promise.withResolvers();
  static aborted: PromiseWithResolvers<void> = Promise.withResolvers();

  @Get('v1/hold')
  async hold(@Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    const signal = abortWait(reply);
    Holding.held.resolve();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    Holding.aborted.resolve();
    return { known: 'nothing yet' };
  }
}
@Module({ controllers: [Holding] })
class HoldingRoot {}

@Module({ controllers: [Probe] })
class Root {}

class ByHeader extends Authenticator {
  override authenticate({ authorization }: { authorization?: string | undefined }): Principal {
    if (authorization !== 'Bearer k') throw new PerdureError('unauthenticated', 'no key');
    return { tenant: 'acme' };
  }
}

describe('createHttpApp', () => {
  let app: HttpApp;
  beforeAll(async () => {
    app = await createHttpApp(Root, { authenticator: new ByHeader(), bodyBytesMax: 1000 });
  });
  afterAll(() => app.nest.close());

  const send = async (method: 'GET' | 'POST' | 'PUT', url: string, options: { payload?: string | Buffer; type?: string; key?: string } = {}) => {
    const { payload, type = 'application/json', key = 'k' } = options;
    const response = await app.nest.inject({ method, url, ...(payload === undefined ? {} : { payload }), headers: { 'content-type': type, authorization: `Bearer ${key}` } });
    return { status: response.statusCode, type: response.headers['content-type'], retryAfter: response.headers['retry-after'], allow: response.headers['allow'], body: response.json() };
  };

  it('hands the tenant and the checked body to the controller', async () => {
    expect((await send('POST', '/v1/echo', { payload: '{"name":"a"}' })).body).toEqual({ tenant: 'acme', body: { name: 'a' } });
  });

  it.each([
    ['malformed JSON', { payload: '{"a":' }, 400, 'malformed-json'],
    ['ill-formed UTF-8', { payload: Buffer.from([0x22, 0xff, 0x22]) }, 400, 'malformed-json'],
    ['an unknown field', { payload: '{"name":"a","nome":1}' }, 400, 'invalid-request'],
    ['a wrong type', { payload: '{"name":7}' }, 400, 'invalid-request'],
    ['a __proto__ key', { payload: '{"name":"a","data":{"__proto__":{}}}' }, 400, 'invalid-request'],
    ['an escaped __proto__ key', { payload: String.raw`{"name":"a","data":{"\u005f_proto__":{}}}` }, 400, 'invalid-request'],
    ['a body over the limit', { payload: JSON.stringify({ name: 'x'.repeat(1000) }) }, 413, 'payload-too-large'],
    ['another media type', { payload: 'a', type: 'text/plain' }, 415, 'unsupported-media-type'],
    ['no credential', { payload: '{"name":"a"}', key: 'other' }, 401, 'unauthenticated'],
  ])('answers %s with a problem', async (_, options, status, code) => {
    const response = await send('POST', '/v1/echo', options);
    expect(response).toMatchObject({ status, type: 'application/problem+json; charset=utf-8', body: { status, code } });
  });

  it('tells a wrong path from a wrong method', async () => {
    expect(await send('GET', '/v1/nothing')).toMatchObject({ status: 404, body: { code: 'unknown-route' } });
    expect(await send('PUT', '/v1/echo', { payload: '{}' })).toMatchObject({ status: 405, allow: 'POST', body: { code: 'method-not-allowed' } });
  });

  it('leaves it to a route to say what is not there', async () => {
    expect(await send('GET', '/v1/items/a')).toMatchObject({ status: 404, body: { code: 'unknown-route', detail: 'There is no item a.' } });
  });

  it('keeps the particulars of an unknown error to itself', async () => {
    const response = await send('GET', '/v1/broken');
    expect(response).toMatchObject({ status: 500, body: { code: 'internal' } });
    expect(JSON.stringify(response.body)).not.toContain('secret');
  });

  it('asks to retry later when it is busy', async () => {
    expect(await send('GET', '/v1/busy')).toMatchObject({ status: 503, retryAfter: '1', body: { code: 'overloaded' } });
  });

  it('leaves a webhook its raw bytes', async () => {
    expect((await send('POST', '/v1/webhooks/github', { payload: '{ "a" : 1 }', key: 'none' })).body).toEqual({ bytes: '{ "a" : 1 }' });
  });
});

describe('a request that is held open', () => {
  const open = async (): Promise<{ readonly app: HttpApp; readonly url: string }> => {
    Holding.held = Promise.withResolvers();
    Holding.aborted = Promise.withResolvers();
    const app = await createHttpApp(HoldingRoot, { authenticator: new ByHeader(), bodyBytesMax: 1000 });
    await app.nest.listen(0, '127.0.0.1');
    return { app, url: `${await app.nest.getUrl()}/v1/hold` };
  };
  const headers = { authorization: 'Bearer k' };

  it('is answered with what is known when the server closes, and does not keep it from closing', async () => {
    const { app, url } = await open();
    const answer = fetch(url, { headers });
    await Holding.held.promise;
    await app.nest.close();
    expect(await (await answer).json()).toEqual({ known: 'nothing yet' });
  });

  it('is given up when its caller goes away', async () => {
    const { app, url } = await open();
    const gone = new AbortController();
    const answer = fetch(url, { headers, signal: gone.signal }).catch(() => 'gone');
    await Holding.held.promise;
    gone.abort();
    await Holding.aborted.promise;
    expect(await answer).toBe('gone');
    await app.nest.close();
  });
});
