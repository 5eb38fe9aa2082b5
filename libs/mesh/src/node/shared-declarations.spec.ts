import { describe, expect, it } from '@jest/globals';
import { SystemClock, type Clock } from '@perdure/clock';
import { DaprAnswer } from '@perdure/dapr';
import { readMeshConfig, type MeshConfig } from '../config.js';
import { MESH_LIMITS } from '../mesh-limits.js';
import { sharedDeclarations } from './shared-declarations.js';

const KEY = { tenant: 'acme', sha256: 'a'.repeat(64) };
const config = (env: Record<string, string> = {}): MeshConfig =>
  readMeshConfig('ingestion', { PERDURE_PORT: '1', PERDURE_POSTGRES: 'postgres://p', PERDURE_KAFKA: 'k:1', PERDURE_ETCD: 'e:1', APP_API_TOKEN: 'x'.repeat(16), PERDURE_DECLARATIONS: 'state', ...env });

/** State of one key, as a sidecar has it. */
class StateSidecar {
  readonly keys = new Set<string>();
  looks = 0;
  stored: unknown;
  readonly #readyAfter: number;

  constructor(stored: unknown, readyAfter = 0) {
    this.stored = stored;
    this.#readyAfter = readyAfter;
  }

  async ready(): Promise<boolean> {
    return this.looks++ >= this.#readyAfter;
  }

  async call({ verb, path, body }: { verb: string; path: string; body?: unknown }): Promise<DaprAnswer> {
    const answer = (status: number, value?: unknown): DaprAnswer => new DaprAnswer({ status, headers: { etag: '1' }, body: Buffer.from(value === undefined ? '' : JSON.stringify(value)) });
    if (verb === 'POST') {
      this.stored = (body as readonly { readonly value: unknown }[])[0]!.value;
      return answer(204);
    }
    this.keys.add(path);
    return this.stored === undefined ? answer(204) : answer(200, this.stored);
  }
}

/** Hours pass while it is asked. */
const hasty: Clock = { now: () => 0, at: (_atMs, run) => (setImmediate(run), () => undefined) };
const silent = { warn: (): void => undefined };

describe('Declarations that nodes share', () => {
  it('are those in state, once the sidecar is there, and the log says that the file has others', async () => {
    const heard: string[] = [];
    const sidecar = new StateSidecar({ apiKeys: [KEY] }, 3);
    const shared = await sharedDeclarations(config(), { sidecar, clock: hasty, logger: { warn: (_what, message) => void heard.push(message) } });
    expect(shared.apiKeys).toEqual([KEY]);
    expect(shared.port).toBe(1);
    expect([sidecar.looks, [...sidecar.keys], heard.length]).toEqual([4, ['/v1.0/state/statestore/perdure%2Fdeclarations?consistency=strong'], 1]);
  });

  it('are put there by the first', async () => {
    const sidecar = new StateSidecar(undefined);
    await sharedDeclarations(config({ PERDURE_PREFIX: 'other' }), { sidecar, clock: new SystemClock(), logger: silent });
    expect(sidecar.stored).toEqual({ apiKeys: [], webhooks: {}, eventTypes: {} });
    expect([...sidecar.keys][0]).toContain('other%2Fdeclarations');
  });

  it('leave no door open: without keys in state a node that others reach does not start', async () => {
    const reachable: MeshConfig = { ...config(), host: '0.0.0.0', apiKeys: [KEY] };
    await expect(sharedDeclarations(reachable, { sidecar: new StateSidecar({}), clock: hasty, logger: silent })).rejects.toThrow('without API keys');
  });

  it('are waited for, and not for ever', async () => {
    let nowMs = 0;
    const clock: Clock = { now: () => nowMs, at: (atMs, run) => ((nowMs = atMs), setImmediate(run), () => undefined) };
    const sidecar = new StateSidecar({}, Infinity);
    await expect(sharedDeclarations(config(), { sidecar, clock, logger: silent })).rejects.toMatchObject({ code: 'unavailable' });
    expect(nowMs).toBe(MESH_LIMITS.sidecarWaitMs);
  });
});
