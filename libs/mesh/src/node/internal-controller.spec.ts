import { Module } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PerdureError } from '@perdure/contract';
import type { DeliveryBatch } from '@perdure/dapr';
import { Authenticator, createHttpApp, type HttpApp, type Principal } from '@perdure/http';
import { DeliveryDoor } from './delivery-door.js';
import { InternalController, OwnService, sliceNaming } from './internal-controller.js';
import { NodeAuthenticator } from './node-authenticator.js';
import { TOKEN_HEADER } from './node-calls.js';
import { SliceOperations } from './slice-operations.js';

const batch = { envelopes: [], confirmations: [{ source: 'history/0', destination: 'scheduler/0', numbers: [1] }] };

/** The public's door of ingestion, with one tenant. */
class Anyone extends Authenticator {
  override authenticate(): Principal {
    return { tenant: 'demo' };
  }
}

describe('A direct call', () => {
  let app: HttpApp;
  let taken: DeliveryBatch[];
  let fault: Error | undefined;
  const door = {
    deliver: async (each: DeliveryBatch) => {
      if (fault) throw fault;
      taken.push(each);
    },
  };

  @Module({ controllers: [InternalController], providers: [{ provide: DeliveryDoor, useValue: door }, { provide: SliceOperations, useValue: {} }, { provide: OwnService, useValue: sliceNaming([], {}) }] })
  class DoorModule {}

  beforeAll(async () => {
    app = await createHttpApp(DoorModule, { authenticator: new NodeAuthenticator('secret', new Anyone()), bodyBytesMax: 10_000 });
  });
  afterAll(() => app.nest.close());
  beforeEach(() => {
    taken = [];
    fault = undefined;
  });

  const post = async (payload: object) => {
    const response = await app.nest.inject({ method: 'POST', url: '/internal/deliveries', headers: { [TOKEN_HEADER]: 'secret' }, payload });
    return { status: response.statusCode, body: response.json() as unknown };
  };

  it('is answered 200 when all was delivered', async () => {
    expect(await post(batch)).toMatchObject({ status: 200 });
    expect(taken).toEqual([batch]);
  });

  it.each([
    ['without the token', '/internal/deliveries', {}],
    ['without the token, in other letters', '/%69nternal/deliveries', {}],
    ['for the sidecar of an app that is none of the mesh', '/internal/deliveries', { [TOKEN_HEADER]: 'secret', 'dapr-caller-app-id': 'shop' }],
    ['for one that says it is another', '/internal/deliveries', { [TOKEN_HEADER]: 'secret', 'dapr-caller-app-id': 'history,shop' }],
  ])('is refused %s', async (_case, url, headers) => {
    const response = await app.nest.inject({ method: 'POST', url, headers: { ...headers }, payload: batch });
    expect(response.statusCode).toBe(TOKEN_HEADER in headers ? 403 : 401);
    expect(taken).toEqual([]);
  });

  it('is taken from the sidecar of a service', async () => {
    const response = await app.nest.inject({ method: 'POST', url: '/internal/deliveries', headers: { [TOKEN_HEADER]: 'secret', 'dapr-caller-app-id': 'scheduler' }, payload: batch });
    expect(response.statusCode).toBe(200);
  });

  it('is answered 400 when it cannot be read, and nothing is delivered', async () => {
    expect(await post({ envelopes: 'x' })).toMatchObject({ status: 400, body: { code: 'invalid-request', detail: expect.stringContaining('envelopes') } });
    expect(taken).toEqual([]);
  });

  it('is answered with the error of who could not take it', async () => {
    fault = new PerdureError('not-owner', 'moved');
    expect(await post(batch)).toMatchObject({ status: 503, body: { code: 'not-owner' } });
    fault = new TypeError('a fault');
    expect(await post(batch)).toMatchObject({ status: 500 });
  });
});
