import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WaitReader, type WaitView } from '@perdure/correlation';
import { Authenticator, createHttpApp, type HttpApp, type Principal } from '@perdure/http';
import { CorrelationModule } from './index.js';

const wait: WaitView = { run: { tenant: 'demo', workflowId: 'order/7', runId: 'r' }, seq: 3, openedAt: 5, wait: { type: 'scan', match: { number: 7 }, filter: 'a > `1`' } };

class Waits extends WaitReader {
  override ofWorkflow(tenant: string, workflowId: string): Promise<readonly WaitView[]> {
    return Promise.resolve([wait].filter(({ run }) => run.tenant === tenant && run.workflowId === workflowId));
  }
}

class ByHeader extends Authenticator {
  override authenticate(headers: Readonly<Record<string, unknown>>): Principal {
    return { tenant: String(headers['x-tenant'] ?? 'demo') };
  }
}

describe('GET /v1/waits', () => {
  let app: HttpApp;
  beforeAll(async () => {
    app = await createHttpApp(CorrelationModule.register({ waits: () => new Waits() }), { authenticator: new ByHeader(), bodyBytesMax: 1_000 });
  });
  afterAll(() => app.nest.close());

  const get = async (query: string, tenant = 'demo') => {
    const response = await app.nest.inject({ method: 'GET', url: `/v1/waits${query}`, headers: { 'x-tenant': tenant } });
    return { status: response.statusCode, body: response.json() as unknown };
  };

  it('lists what the workflow’s runs wait for', async () => {
    expect(await get('?workflowId=order%2F7')).toEqual({ status: 200, body: { waits: [wait] } });
    expect(await get('?workflowId=order%2F8')).toEqual({ status: 200, body: { waits: [] } });
  });

  it('shows a tenant its own alone', async () => {
    expect(await get('?workflowId=order%2F7', 'other')).toEqual({ status: 200, body: { waits: [] } });
  });

  it.each(['', '?workflowId=', `?workflowId=${'x'.repeat(513)}`, '?workflowId=a&workflowId=b', '?workflowId=a&more=b'])('refuses "%s"', async (query) => {
    expect(await get(query)).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  });
});
