import { toPerdureError, type PerdureError } from '@perdure/contract';
import { Backoff, type BackoffOptions, type MeshNode } from '@perdure/delivery';
import { EtcdFault } from './etcd-fault.js';
import type { EtcdChange, EtcdGateway } from './etcd-gateway.js';
import type { EtcdLimits } from './etcd-limits.js';

export interface NodeListOptions extends BackoffOptions {
  readonly limits: EtcdLimits;
  readonly gateway: Pick<EtcdGateway, 'list' | 'watch'>;
  readonly prefix: string;
  readonly trouble: (error: PerdureError) => void;
}

/**
 * The nodes on the list: read once, then followed from the revision of that reading. When the watch ends for whatever reason (etcd is gone,
 * the revision was compacted away) it is read again. Until then the last list stays.
 */
export class NodeList {
  readonly #options: NodeListOptions;
  readonly #backoff: Backoff;
  readonly #listeners = new Set<() => void>();
  readonly #ended: Promise<void>;
  #entries: ReadonlyMap<string, string> = new Map();
  #nodes: readonly MeshNode[];
  #watch = new AbortController();
  #willTell = false;

  private constructor(options: NodeListOptions, first: { readonly entries: ReadonlyMap<string, string>; readonly revision: bigint }) {
    this.#options = options;
    this.#backoff = new Backoff(options);
    this.#nodes = this.#nodesIn(first.entries);
    this.#entries = first.entries;
    this.#ended = this.#run(first.revision);
  }

  /** @throws EtcdFault when there is no list to be had in time */
  static async open(options: NodeListOptions): Promise<NodeList> {
    const { gateway, prefix, clock, limits } = options;
    const backoff = new Backoff(options);
    const untilMs = clock.now() + limits.connectWithinMs;
    for (;;) {
      try {
        return new NodeList(options, await gateway.list(prefix));
      } catch (thrown) {
        if (clock.now() >= untilMs) throw thrown;
        await backoff.afterFailure();
      }
    }
  }

  get nodes(): readonly MeshNode[] {
    return this.#nodes;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Somebody could not reach etcd: the watch may be deaf without knowing. */
  suspect(): void {
    this.#watch.abort();
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#backoff.stop();
    this.#watch.abort();
    await this.#ended;
  }

  async #run(first: bigint): Promise<void> {
    for (let revision: bigint | undefined = first; !this.#backoff.isStopped; revision = undefined) {
      try {
        await this.#follow(revision ?? (await this.#read()));
      } catch (thrown) {
        if (!this.#watch.signal.aborted && this.#backoff.isFirst) this.#options.trouble(toPerdureError(thrown));
      }
      await this.#backoff.afterFailure();
    }
  }

  async #read(): Promise<bigint> {
    const { entries, revision } = await this.#options.gateway.list(this.#options.prefix);
    this.#put(entries);
    return revision;
  }

  async #follow(revision: bigint): Promise<void> {
    const { gateway, prefix } = this.#options;
    this.#watch = new AbortController();
    if (this.#backoff.isStopped) return;
    for await (const changes of gateway.watch(prefix, { revision: revision + 1n, signal: this.#watch.signal })) {
      this.#backoff.succeeded();
      this.#put(applied(this.#entries, changes));
    }
  }

  /** What is no node was put there by nobody of the mesh: it is told once, and is on no list. */
  #nodesIn(entries: ReadonlyMap<string, string>): readonly MeshNode[] {
    return [...entries].flatMap(([key, value]) => {
      const node = toNode(value);
      if (!node && this.#entries.get(key) !== value) this.#options.trouble(new EtcdFault(`The key ${key} holds no node, and counts for nothing: delete it.`));
      return node ?? [];
    });
  }

  #put(entries: ReadonlyMap<string, string>): void {
    const isSame = entries.size === this.#entries.size && [...entries].every(([key, value]) => this.#entries.get(key) === value);
    if (isSame) return;
    this.#nodes = this.#nodesIn(entries);
    this.#entries = entries;
    if (this.#willTell) return;
    this.#willTell = true;
    const { clock, limits } = this.#options;
    clock.at(clock.now() + limits.tellAfterMs, () => {
      this.#willTell = false;
      for (const listener of this.#listeners) listener();
    });
  }
}

const applied = (entries: ReadonlyMap<string, string>, changes: readonly EtcdChange[]): ReadonlyMap<string, string> => {
  const next = new Map(entries);
  for (const { key, value } of changes) {
    if (value === undefined) next.delete(key);
    else next.set(key, value);
  }
  return next;
};

const toNode = (value: string): MeshNode | undefined => {
  try {
    const { id, service, address } = JSON.parse(value) as Partial<Record<keyof MeshNode, unknown>>;
    return [id, service, address].every((each) => typeof each === 'string') ? ({ id, service, address } as MeshNode) : undefined;
  } catch {
    return undefined;
  }
};
