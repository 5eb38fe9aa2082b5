import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditLog, type AuditEntry, type AuditPage } from '@perdure/compensation';
import { Authenticator, createHttpApp, type HttpApp, type Principal } from '@perdure/http';
import { CompensationModule } from './index.js';

const entry: AuditEntry = { id: 'r/5/rollbackStarted', run: { tenant: 'demo', workflowId: 'w', runId: 'r' }, at: 1, cause: 'terminate', kind: 'rollbackStarted', steps: 2 };

class Audit extends AuditLog {
  readonly asked: unknown[] = [];

  override list(...args: Parameters<AuditLog['list']>): Promise<AuditPage> {
    this.asked.push(args);
    return Promise.resolve({ entries: [entry], next: '1' });
  }
}

class Demo extends Authenticator {
  override authenticate(): Principal {
    return { tenant: 'demo' };
  }
}

describe('GET /v1/audit', () => {
  const audit = new Audit();
  let app: HttpApp;
  beforeAll(async () => {
    app = await createHttpApp(CompensationModule.register({ audit: () => audit }), { authenticator: new Demo(), bodyBytesMax: 1_000 });
  });
  afterAll(() => app.nest.close());

  const get = async (query: string) => {
    const response = await app.nest.inject({ method: 'GET', url: `/v1/audit${query}` });
    return { status: response.statusCode, body: response.json() as unknown };
  };

  it('pages through the tenant’s entries, of one workflow or of all', async () => {
    expect(await get('?workflowId=w&cursor=3&limit=2')).toEqual({ status: 200, body: { entries: [entry], next: '1' } });
    await get('');
    expect(audit.asked).toEqual([['demo', { workflowId: 'w', cursor: '3', limit: 2 }], ['demo', { limit: 100 }]]);
  });

  it.each(['?limit=0', '?limit=1001', '?limit=x', '?cursor=', '?workflowId=', '?workflow=w'])('refuses "%s"', async (query) => {
    expect(await get(query)).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  });
});
