import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LocalMesh, MESH_SERVICES, type MeshService } from '@perdure/mesh-launcher';
import { freePort, type Link, obtain, serversConfig, SilentProgress, startToxiproxy, type Surroundings, toxiproxyProgram } from '@perdure/servers';
import { Draws } from '../program/draws.js';
import { BreakableWays } from './breakable-ways.js';
import { CuttingProxy } from './cutting-proxy.js';
import { Deployment } from './deployment.js';
import type { Disturbable } from './disturbable.js';
import { HeldServer } from './held-server.js';
import { MESH_LANES, type Lanes } from './lanes.js';
import { ledgerAndWorkers, type Population } from './ledger-and-workers.js';
import { logsInMesh, type LogsInMesh } from './logs-in-mesh.js';
import { pendingInMesh } from './pending-in-mesh.js';

export interface MeshDeploymentOptions extends Population {
  /** The repository. */
  readonly root: string;
  readonly folder: string;
  readonly seed: number;
  /** Nodes of each service. */
  readonly replicas: number;
  /** The folder of Dapr's components. */
  readonly components: string;
  readonly lanes?: Lanes;
  /** More for the nodes' environment. */
  readonly env?: Readonly<Record<string, string>>;
}

const TENANT = 'demo';
const PATIENCE_MS = 10 * 60_000;
const COMPLAINTS_SHOWN = 20;
const SLICES_PER_NODE = 2;
/** Soon, so that owners die between archive and trim. */
const ARCHIVE_AFTER_SECONDS = '1';

/** The whole mesh: services and their sidecars, and the servers beneath; worker processes and the ledger beside it. */
export class MeshDeployment extends Deployment {
  readonly dropsAtOnce = false;
  readonly ledgerPath: string;
  readonly tenant = TENANT;
  readonly lanes: Lanes;
  doors: readonly string[] = [];
  quietDoor = '';
  processes: readonly Disturbable[] = [];
  proxies: readonly CuttingProxy[] = [];
  override deliveries: readonly CuttingProxy[] = [];
  override links: readonly Link[] = [];
  #ways: BreakableWays | undefined;
  readonly #options: MeshDeploymentOptions;
  #mesh: LocalMesh | undefined;
  #pending: readonly string[] = [];
  #logsFound: LogsInMesh = { findings: [], records: 0, trimmed: 0 };

  constructor(options: MeshDeploymentOptions) {
    super();
    this.#options = options;
    this.lanes = options.lanes ?? MESH_LANES;
    this.ledgerPath = join(options.folder, 'ledger.jsonl');
  }

  override async start(): Promise<void> {
    const { root, folder, seed, replicas, components, env } = this.#options;
    // PostgreSQL runs as a user of its own, who must come through.
    chmodSync(folder, 0o711);
    const each = Object.fromEntries(MESH_SERVICES.map((service) => [service, replicas])) as Record<MeshService, number>;
    const surroundings: Surroundings = { config: serversConfig(), progress: new SilentProgress() };
    const ways = new BreakableWays(await startToxiproxy({ program: await obtain(toxiproxyProgram, surroundings) }), seed);
    this.#ways = ways;
    const mesh = await LocalMesh.start({
      root, folder: join(folder, 'mesh'), replicas: each, slicesPerNode: SLICES_PER_NODE, components, given: {}, patienceMs: PATIENCE_MS, env: { ...env, PERDURE_TENANT: TENANT, PERDURE_LOG_ARCHIVE: pathToFileURL(this.#archive).href, PERDURE_LOG_ARCHIVE_AFTER_SECONDS: ARCHIVE_AFTER_SECONDS },
      envOf: (node, servers) => ways.toServers(node, servers), wayTo: (end) => ways.to(end),
    }, surroundings);
    this.#mesh = mesh;
    await mesh.ready();
    const ports = mesh.urls.map((url) => Number(new URL(url).port));
    const doors = ports.map((port, index) => new CuttingProxy(port, new Draws(seed + 1 + index)));
    const desks = ports.map((port, index) => new CuttingProxy(port, new Draws(seed + 101 + index)));
    this.proxies = [...doors, ...desks];
    this.deliveries = ways.deliveries;
    this.links = ways.links;
    this.doors = await Promise.all(doors.map((proxy) => proxy.listen()));
    this.quietDoor = mesh.urls[0]!;
    const others = ledgerAndWorkers({ ...this.#options, tenant: TENANT, ledgerPath: this.ledgerPath, ledgerPort: await freePort(), urls: await Promise.all(desks.map((proxy) => proxy.listen())) });
    this.processes = [
      ...mesh.servers.started.map((server) => new HeldServer(server, 'store')),
      ...mesh.nodes.flatMap(({ app, sidecar }) => [
        new HeldServer(app, 'server'),
        // A sidecar ends itself when a component does not answer at its start.
        new HeldServer(sidecar, 'sidecar', { mayDie: true }),
      ]),
      ...others,
    ];
    await Promise.all(others.map((process) => process.start()));
  }

  override async stop(): Promise<void> {
    const ofRole = (...roles: readonly string[]): readonly Disturbable[] => this.processes.filter(({ options }) => roles.includes(options.role));
    for (const process of ofRole('worker', 'ledger')) await process.stop();
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
    this.#pending = await pendingInMesh(this.#mesh!.servers.addresses.postgres);
    const { kafka } = this.#mesh!.servers.addresses;
    this.#logsFound = await logsInMesh({ kafka, archive: this.#archive, slices: this.#options.replicas * SLICES_PER_NODE });
    for (const role of ['server', 'sidecar', 'store']) await Promise.all(ofRole(role).map((process) => process.stop()));
    await this.#mesh!.stop();
    await this.#ways!.close();
  }

  override async leftovers(): Promise<readonly string[]> {
    return [...this.#pending, ...this.#logsFound.findings, ...this.#complaints()];
  }

  /** Stale owners that were seen to be refused (I3). */
  override figures(): Readonly<Record<string, number>> {
    const lines = this.#logs().flatMap(({ lines }) => lines);
    return {
      'deliveries refused': this.deliveries.reduce((sum, { done }) => sum + done.refusals, 0),
      'deliveries whose answer was cut': this.deliveries.reduce((sum, { done }) => sum + done.answers, 0),
      'records of logs': this.#logsFound.records,
      'records of logs in the archive alone': this.#logsFound.trimmed,
      'stale owners refused': lines.filter((line) => line.includes('steps down from the slice') && line.includes('epoch')).length,
    };
  }

  get #archive(): string {
    return join(this.#options.folder, 'archive');
  }

  #logs(): readonly { readonly name: string; readonly lines: readonly string[] }[] {
    return this.#mesh!.nodes.map(({ name, app }) => ({ name, lines: readFileSync(app.logFile, 'utf8').split('\n') }));
  }

  /** No work is refused, no slice stopped, no input set aside because processes die. */
  #complaints(): readonly string[] {
    return this.#logs().flatMap(({ name, lines }) => lines.filter((line) => /^\{"level":[56]0/.test(line)).slice(0, COMPLAINTS_SHOWN).map((line) => `${name} complained: ${line.slice(0, 1_000)}`));
  }
}
