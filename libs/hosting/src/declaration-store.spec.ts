import { describe, expect, it } from '@jest/globals';
import { DeclarationStore, loadDeclarations, type StoredDeclarations } from './declaration-store.js';
import { parseDeclarations, type Declarations } from './declarations.js';

class MemoryDeclarations extends DeclarationStore {
  stored: StoredDeclarations | undefined;
  /** Comes first, between a get and the put after it. */
  rival: Declarations | undefined;

  override async get(): Promise<StoredDeclarations | undefined> {
    return this.stored;
  }

  override async put(declarations: Declarations, version?: string): Promise<boolean> {
    if (this.rival) this.stored = { declarations: this.rival, version: 'rival' };
    if (this.stored?.version !== version) return false;
    this.stored = { declarations, version: `${Number(version ?? 0) + 1}` };
    return true;
  }
}

const declare = (type: string): Declarations => parseDeclarations({ eventTypes: { [type]: { keys: { order: 'data.id', shop: 'source' } } } }, 'test');

describe('Declarations of a server that starts', () => {
  it('are its file\'s when nothing is stored, and are stored', async () => {
    const store = new MemoryDeclarations();
    expect(await loadDeclarations(store, declare('a'))).toEqual({ declarations: declare('a'), isOtherThanSeed: false });
    expect(store.stored?.declarations).toEqual(declare('a'));
  });

  it('are those that are stored, and it says that its file has others', async () => {
    const store = new MemoryDeclarations();
    store.stored = { declarations: declare('stored'), version: '1' };
    expect(await loadDeclarations(store, declare('file'))).toEqual({ declarations: declare('stored'), isOtherThanSeed: true });
  });

  it('are those of a server that was faster', async () => {
    const store = new MemoryDeclarations();
    store.rival = declare('faster');
    expect(await loadDeclarations(store, declare('file'))).toEqual({ declarations: declare('faster'), isOtherThanSeed: true });
  });

  it('are the same whatever the order of names', async () => {
    const store = new MemoryDeclarations();
    store.stored = { declarations: parseDeclarations({ eventTypes: { a: { keys: { shop: 'source', order: 'data.id' } } } }, 'test'), version: '1' };
    expect((await loadDeclarations(store, declare('a'))).isOtherThanSeed).toBe(false);
  });
});
