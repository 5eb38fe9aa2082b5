import { describe, expect, it } from '@jest/globals';
import { parseDeclarations } from '@perdure/hosting';
import { DaprDeclarationStore } from './dapr-declaration-store.js';
import type { SaveOptions, Stored } from './dapr-state.js';

class MemoryState {
  stored: Stored | undefined;

  async get(): Promise<Stored | undefined> {
    return this.stored;
  }

  async save(_key: string, value: unknown, { etag }: SaveOptions = {}): Promise<boolean> {
    if (this.stored?.etag !== etag) return false;
    this.stored = { value: JSON.parse(JSON.stringify(value)), etag: `${Number(etag ?? 0) + 1}` };
    return true;
  }
}

const source = (secrets: readonly unknown[]): unknown => ({ tenant: 'demo', scheme: { kind: 'github' }, secrets });
const declare = (secrets: readonly unknown[] = [{ env: 'CARRIER_SECRET' }]): ReturnType<typeof parseDeclarations> => parseDeclarations({ webhooks: { carrier: source(secrets) }, eventTypes: { a: { keys: { order: 'data.id' }, routingKey: 'order' } } }, 'test');

describe('DaprDeclarationStore', () => {
  it('gives back what was put, and takes a put only over the version it names', async () => {
    const store = new DaprDeclarationStore(new MemoryState());
    expect(await store.get()).toBeUndefined();
    expect([await store.put(declare()), await store.put(declare())]).toEqual([true, false]);
    const { declarations, version } = (await store.get())!;
    expect(declarations).toEqual(declare());
    expect([await store.put(declare(), version), await store.put(declare(), version)]).toEqual([true, false]);
  });

  it('keeps no secret, but where it is', async () => {
    const state = new MemoryState();
    await expect(new DaprDeclarationStore(state).put(declare([{ env: 'A' }, 'hush']))).rejects.toMatchObject({ code: 'invalid-request', message: expect.stringContaining('"carrier"') });
    expect(state.stored).toBeUndefined();
  });

  it('names what is wrong with what it finds', async () => {
    const state = new MemoryState();
    state.stored = { value: { eventTypes: { a: { keys: { order: '[' } } } }, etag: '1' };
    await expect(new DaprDeclarationStore(state).get()).rejects.toMatchObject({ code: 'invalid-request', message: expect.stringContaining('eventTypes.a.keys.order') });
  });
});
