import { Module } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PerdureError } from '@perdure/contract';
import type { DeliveryBatch } from '@perdure/dapr';
import { createHttpApp, type HttpApp } from '@perdure/http';
import { DeliveryDoor } from './delivery-door.js';
import { InternalController, OwnService, sliceNaming } from './internal-controller.js';
import { NodeAuthenticator } from './node-authenticator.js';
import { TOKEN_HEADER } from './node-calls.js';
import { SliceOperations } from './slice-operations.js';

const batch = { envelopes: [], confirmations: [{ source: 'history/0', destination: 'scheduler/0', numbers: [1] }] };

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
    app = await createHttpApp(DoorModule, { authenticator: new NodeAuthenticator('secret'), bodyBytesMax: 10_000 });
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
