import type { Service } from './message.js';

/** A process of the mesh, as the others know it. */
export interface MeshNode {
  /** New with each start of the process. */
  readonly id: string;
  readonly service: Service | 'ingestion';
  /** `host:port` of its own HTTP server, for what only this very node can answer. */
  readonly address: string;
}

/**
 * Which nodes there are. A hint (design §6): a node that is listed may be dead or about to be, and one that lives may be missing; who may
 * commit, the epoch in the slice's row alone decides.
 */
export abstract class Membership {
  /** Resolves once the node is known to others. It stays so, through outages of whoever keeps the list, until `leave`. */
  abstract join(node: MeshNode): Promise<void>;
  /** In order of id. */
  abstract nodes(service: MeshNode['service']): readonly MeshNode[];
  /** The list has changed. Returns how to stop it. */
  abstract onChange(listener: () => void): () => void;
  /** The others know at once that the node is going. */
  abstract leave(): Promise<void>;
}
