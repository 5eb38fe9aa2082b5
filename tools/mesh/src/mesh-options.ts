export const MESH_SERVICES = ['ingestion', 'history', 'scheduler', 'correlation', 'compensation'] as const;
export type MeshService = (typeof MESH_SERVICES)[number];

export const isMeshService = (name: string): name is MeshService => (MESH_SERVICES as readonly string[]).includes(name);

/** How many nodes each service has. */
export type Replicas = Readonly<Record<MeshService, number>>;

export const ONE_OF_EACH: Replicas = { ingestion: 1, history: 1, scheduler: 1, correlation: 1, compensation: 1 };

/** One end of the way between a node and its sidecar. */
export interface WayEnd {
  readonly node: string;
  readonly end: 'app' | 'sidecar';
  /** Where it listens, on loopback. */
  readonly port: number;
}

/** Servers that are not to be started, for there is one already: a URL for PostgreSQL, `host:port` for the others. */
export interface GivenServers {
  readonly etcd?: string;
  readonly postgres?: string;
  readonly kafka?: string;
  readonly redis?: string;
}

export interface MeshOptions {
  /** The repository. */
  readonly root: string;
  /** Data, logs and secrets. */
  readonly folder: string;
  readonly replicas: Replicas;
  /** When the data folder is new: how many slices each service has for each of its nodes. Default 1. */
  readonly slicesPerNode?: number;
  /** Of the first node of ingestion; others get free ones. */
  readonly port?: number;
  /** The folder of Dapr's components. */
  readonly components: string;
  readonly given: GivenServers;
  /** For a mesh that runs on this machine to end, milliseconds. Default 0. */
  readonly patienceMs?: number;
  /** More for the nodes' environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The same for one node, once the servers are there: it may see one of them through a proxy, say. */
  readonly envOf?: (node: { readonly service: MeshService; readonly index: number }, servers: Readonly<Record<keyof GivenServers, string>>) => Promise<Readonly<Record<string, string>>>;
  /** The port at which others find that end, if not its own: the way to it may lead through something that breaks it. */
  readonly wayTo?: (end: WayEnd) => Promise<number>;
}
