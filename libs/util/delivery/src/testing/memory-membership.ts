import { Membership, type MeshNode } from '../membership.js';

/** The list that memberships in memory share: what etcd is in the mesh. `isAway`: nobody reaches it, and nobody hears of a change. */
export class MemoryRegistry {
  readonly #nodes = new Map<string, MeshNode>();
  readonly #listeners = new Set<() => void>();
  #isAway = false;

  get nodes(): readonly MeshNode[] {
    return [...this.#nodes.values()];
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  set isAway(isAway: boolean) {
    this.#isAway = isAway;
    if (!isAway) this.#tell();
  }

  put(node: MeshNode): void {
    this.#nodes.set(node.id, node);
    this.#tell();
  }

  /** Also as a lease does that has run out. */
  remove(id: string): void {
    this.#nodes.delete(id);
    this.#tell();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(): void {
    if (!this.#isAway) for (const listener of this.#listeners) listener();
  }
}

/** A node's view of a `MemoryRegistry`. What it has joined it joins again when the registry has lost it, as a node does whose lease ran out. */
export class MemoryMembership extends Membership {
  readonly #registry: MemoryRegistry;
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: () => void;
  #known: readonly MeshNode[];
  #joined: MeshNode | undefined;

  constructor(registry: MemoryRegistry) {
    super();
    this.#registry = registry;
    this.#known = registry.nodes;
    this.#unsubscribe = registry.onChange(() => this.#follow());
  }

  override async join(node: MeshNode): Promise<void> {
    this.#joined = node;
    this.#registry.put(node);
  }

  override nodes(service: MeshNode['service']): readonly MeshNode[] {
    return this.#known.filter((node) => node.service === service).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  override onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  override async leave(): Promise<void> {
    const id = this.#joined?.id;
    this.#joined = undefined;
    if (id !== undefined) this.#registry.remove(id);
  }

  close(): void {
    this.#unsubscribe();
    this.#listeners.clear();
  }

  #follow(): void {
    this.#known = this.#registry.nodes;
    for (const listener of this.#listeners) listener();
    const joined = this.#joined;
    if (joined && !this.#known.some(({ id }) => id === joined.id)) queueMicrotask(() => this.#joined === joined && this.#registry.put(joined));
  }
}
