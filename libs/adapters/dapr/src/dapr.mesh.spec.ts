import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CommunicationProtocolEnum, DaprClient, HttpMethod } from '@dapr/dapr';
import { SystemClock } from '@perdure/clock';
import { loadDeclarations, parseDeclarations, type Declarations } from '@perdure/hosting';
import { DaprDeclarationStore } from './dapr-declaration-store.js';
import { DaprSidecar } from './dapr-sidecar.js';
import { DaprState } from './dapr-state.js';
import { ComponentFolder } from './testing/component-folder.js';
import { localFolders, readMeshEnvironment } from './testing/mesh-environment.js';
import { SidecarProcess } from './testing/sidecar-process.js';

const root = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');
const clock = new SystemClock();
/** A machine that is busy is no failure. */
const PATIENT = { clock, callTimeoutMs: 20_000 };
const bodyOf = async (request: IncomingMessage): Promise<string> => Buffer.concat((await request.toArray()) as Buffer[]).toString();

describe.each(localFolders(root, process.env).map((path) => [path.replace(`${root}/`, ''), path] as const))('With %s', (_name, from) => {
  let app: Server;
  let folder: ComponentFolder;
  let caller: SidecarProcess;
  let callee: SidecarProcess;
  let sidecar: DaprSidecar;
  const prefix = `s${process.pid}${Math.round(performance.now())}-`;

  beforeAll(async () => {
    const { daprd, components } = readMeshEnvironment(process.env);
    // Answers with what it was asked for, and what it saw.
    app = createServer(async (request, response) => {
      const url = new URL(request.url!, 'http://app');
      const status = Number(url.searchParams.get('status') ?? 200);
      const seen = { verb: request.method, path: request.url, caller: request.headers['dapr-caller-app-id'], trace: request.headers['traceparent'], body: await bodyOf(request) };
      if (url.searchParams.has('silent')) return;
      response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json', 'x-app': 'yes' }).end(JSON.stringify(seen));
    });
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    folder = new ComponentFolder({ from, prefix });
    const start = (appId: string, config: string, appPort?: number): Promise<SidecarProcess> => SidecarProcess.start({ daprd, appId: folder.appId(appId), resources: folder.path, config: `${folder.path}/${config}.yaml`, environment: components, ...(appPort === undefined ? {} : { appPort }) });
    // The caller is nobody that the components name: any app with a sidecar.
    [caller, callee] = await Promise.all([start('correlation', 'configuration'), start('ingestion', 'configuration-ingestion', (app.address() as AddressInfo).port)]);
    sidecar = new DaprSidecar({ host: '127.0.0.1', httpPort: caller.httpPort, ...PATIENT });
  }, 150_000);

  afterAll(async () => {
    await sidecar.close();
    await Promise.all([caller.kill(), callee.kill()]);
    app.closeAllConnections();
    app.close();
    folder.remove();
  });

  const target = (method: string): { appId: string; method: string } => ({ appId: folder.appId('ingestion'), method });

  describe('service invocation', () => {
    it('passes verb, path, query, trace and body there, and status, headers and body back', async () => {
      const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const answer = await sidecar.invoke({ ...target('v1/workflows?a=%2F'), verb: 'PUT' }, { input: 'é' }, { headers: { traceparent: trace } });
      expect([answer.status, answer.headers['x-app'], answer.json()]).toEqual([200, 'yes', { verb: 'PUT', path: '/v1/workflows?a=%2F', caller: folder.appId('correlation'), trace: expect.stringMatching(/^00-0af7651916cd43dd8448eb211c80319c-/), body: '{"input":"é"}' }]);
    });

    it.each([202, 400, 404, 409, 500, 503])('passes %i with its body', async (status) => {
      const answer = await sidecar.invoke(target(`v1/workflows?status=${status}`), {});
      expect([answer.status, answer.json()]).toEqual([status, expect.objectContaining({ verb: 'POST' })]);
    });

    it('passes bodies that are larger than Dapr takes by default', async () => {
      const body = 'x'.repeat(6_000_000);
      expect((await sidecar.invoke(target('v1/workflows'), { body })).json()).toMatchObject({ body: JSON.stringify({ body }) });
    });

    it('says that an app is not to be found, and gives up one that is silent', async () => {
      await expect(sidecar.invoke({ appId: `${prefix}nobody`, method: 'x' })).rejects.toMatchObject({ code: 'unavailable', retryable: true, message: expect.stringContaining('ERR_DIRECT_INVOKE') });
      await expect(sidecar.invoke(target('x?silent'), {}, { timeoutMs: 200 })).rejects.toMatchObject({ code: 'unavailable', message: 'No answer of the sidecar within 200 ms.' });
    });

    it('is there for callers with the SDK of Dapr, and no other of ours', async () => {
      const client = new DaprClient({ daprHost: '127.0.0.1', daprPort: String(caller.httpPort), communicationProtocol: CommunicationProtocolEnum.HTTP });
      const started = await client.invoker.invoke(target('').appId, 'v1/workflows', HttpMethod.POST, { workflowId: 'order-7' });
      expect(started).toMatchObject({ verb: 'POST', path: '/v1/workflows', body: '{"workflowId":"order-7"}' });
      await client.stop();
    });
  });

  it('a sidecar says when it is ready, and when it is gone', async () => {
    expect(await sidecar.ready()).toBe(true);
    await callee.stop();
    const gone = new DaprSidecar({ host: '127.0.0.1', httpPort: callee.httpPort, ...PATIENT });
    expect(await gone.ready()).toBe(false);
    await callee.start();
    expect(await gone.ready()).toBe(true);
    await gone.close();
  });

  describe('state', () => {
    let state: DaprState;
    beforeAll(() => void (state = new DaprState(sidecar)));
    const key = (name: string): string => `${prefix}${name}/é`;

    it('has nothing under a key that was not written', async () => {
      expect(await state.get(key('none'))).toBeUndefined();
    });

    it('takes the first writer of a key, and no second', async () => {
      expect(await state.save(key('first'), { a: 1 })).toBe(true);
      expect(await state.save(key('first'), { a: 2 })).toBe(false);
      expect((await state.get(key('first')))!.value).toEqual({ a: 1 });
    });

    it('takes a write over the version it names, and no other', async () => {
      await state.save(key('next'), 1);
      const first = (await state.get(key('next')))!;
      expect(await state.save(key('next'), 2, { etag: first.etag })).toBe(true);
      expect(await state.save(key('next'), 3, { etag: first.etag })).toBe(false);
      const second = (await state.get(key('next')))!;
      expect(second.value).toBe(2);
      expect(second.etag).not.toBe(first.etag);
      expect(await state.save(key('next'), 4, { etag: second.etag })).toBe(true);
    });

    it('has one of many writers at once win', async () => {
      await state.save(key('race'), 0);
      const { etag } = (await state.get(key('race')))!;
      const won = await Promise.all(Array.from({ length: 8 }, (_, index) => state.save(key('race'), index + 1, { etag })));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect((await state.get(key('race')))!.value).toBe(won.indexOf(true) + 1);
    });

    it('takes an ETag that was never one for a version that is gone', async () => {
      await state.save(key('odd'), 1);
      expect(await state.save(key('odd'), 2, { etag: 'no version' })).toBe(false);
      expect(await state.save(key('never'), 2, { etag: 'no version' })).toBe(false);
    });

    it('deletes the version it is told, and no other', async () => {
      await state.save(key('gone'), 1);
      const { etag } = (await state.get(key('gone')))!;
      await state.save(key('gone'), 2, { etag });
      expect(await state.delete(key('gone'), etag)).toBe(false);
      const now = (await state.get(key('gone')))!;
      expect(await state.delete(key('gone'), now.etag)).toBe(true);
      expect(await state.get(key('gone'))).toBeUndefined();
    });

    it('forgets what it was told to', async () => {
      await state.save(key('brief'), 1, { ttlSeconds: 3 });
      expect(await state.get(key('brief'))).toBeDefined();
      await expect(untilGone(() => state.get(key('brief')))).resolves.toBeUndefined();
    });

    it('has the declarations of a mesh: the first server\'s file, and then what is stored', async () => {
      const declare = (type: string): Declarations => parseDeclarations({ eventTypes: { [type]: { keys: { shop: 'source', order: 'data.id' }, routingKey: 'order' } } }, 'test');
      const store = new DaprDeclarationStore(state, key('declarations'));
      const started = await Promise.all(['a', 'b'].map((type) => loadDeclarations(store, declare(type))));
      expect(started.filter(({ isOtherThanSeed }) => isOtherThanSeed)).toHaveLength(1);
      expect(started[0]!.declarations).toEqual(started[1]!.declarations);
      const { version } = (await store.get())!;
      expect([await store.put(declare('c'), version), await store.put(declare('d'), version)]).toEqual([true, false]);
      expect((await loadDeclarations(store, declare('a'))).declarations).toEqual(declare('c'));
    });

    it('is shared by the services', async () => {
      await state.save(key('ours'), 'ours');
      const other = new DaprSidecar({ host: '127.0.0.1', httpPort: callee.httpPort, ...PATIENT });
      expect((await new DaprState(other).get(key('ours')))!.value).toBe('ours');
      await other.close();
    });
  });
});

const LOOK_EVERY_MS = 100;
const LOOKS_MAX = 100;

const untilGone = async (look: () => Promise<unknown>): Promise<unknown> => {
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const found = await look();
    if (found === undefined) return undefined;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return look();
};
