import { chmodSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { obtain, postgresProgram, startPostgres, type ServerProcess } from '@perdure/servers';
import { Children } from './children.js';
import { LoadGenerator } from './load-generator.js';
import type { AskedSystem, Options } from './options.js';
import { BareSystem } from './systems/bare.js';
import { DbosSystem } from './systems/dbos.js';
import { MeshSystem } from './systems/mesh.js';
import { PerdureSystem, type PerdureOptions } from './systems/perdure.js';
import { RestateSystem } from './systems/restate.js';
import type { System } from './systems/system.js';
import { TemporalSystem } from './systems/temporal.js';

const TMPFS = 0x01021994;

/** What the workloads share: the options, the generator, and servers over fresh folders. */
export class Lab {
  readonly options: Options;
  readonly children: Children;
  readonly generator: LoadGenerator;
  readonly folder: string;
  #systems = 0;
  #postgres: Promise<ServerProcess> | undefined;

  private constructor(options: Options, { children, generator, folder }: { readonly children: Children; readonly generator: LoadGenerator; readonly folder: string }) {
    this.options = options;
    this.children = children;
    this.generator = generator;
    this.folder = folder;
  }

  static async open(options: Options): Promise<Lab> {
    const children = new Children();
    const folder = makeFolder(options.data ?? tmpdir());
    return new Lab(options, { children, folder, generator: await LoadGenerator.start(children) });
  }

  say(text: string): void {
    console.error(`bench: ${text}`);
  }

  has(name: AskedSystem): boolean {
    return this.options.systems.includes(name);
  }

  perdure(options: Omit<PerdureOptions, 'folder'> = {}): Promise<System> {
    return this.#started(new PerdureSystem(this.children, { ...options, folder: this.#freshFolder() }));
  }

  restate(options: { readonly trace?: string } = {}): Promise<System> {
    return this.#started(new RestateSystem(this.children, { ...options, folder: this.#freshFolder() }));
  }

  async mesh(): Promise<System> {
    return this.#started(new MeshSystem(this.children, { folder: this.#freshFolder(), postgres: await this.postgres() }));
  }

  temporal(): Promise<System> {
    return this.#started(new TemporalSystem(this.children, { folder: this.#freshFolder() }));
  }

  async dbos(): Promise<System> {
    return this.#started(new DbosSystem(this.children, { folder: '', postgres: await this.postgres() }));
  }

  /** One for all that need one; it ends with the harness. */
  postgres(): Promise<ServerProcess> {
    return (this.#postgres ??= obtain(postgresProgram).then((program) => startPostgres({ program, folder: this.#freshFolder() })));
  }

  bare(): Promise<System> {
    return this.#started(new BareSystem(this.children));
  }

  /** Those that were asked for, as the table compares them. */
  async asked(): Promise<System[]> {
    const systems: System[] = [];
    for (const name of this.options.systems) systems.push(await this[name]());
    return systems;
  }

  async stop(systems: readonly System[]): Promise<void> {
    for (const system of systems) {
      await system.stop();
      if (system.options.folder) rmSync(system.options.folder, { recursive: true, force: true });
    }
  }

  #freshFolder(): string {
    const folder = join(this.folder, `system-${this.#systems++}`);
    mkdirSync(folder);
    return folder;
  }

  async #started<S extends System>(system: S): Promise<S> {
    await system.start();
    return system;
  }
}

/** @throws Error when the folder's disk is memory: an fsync there costs nothing and keeps nothing */
const makeFolder = (parent: string): string => {
  mkdirSync(parent, { recursive: true });
  if (statfsSync(parent).type === TMPFS) throw new Error(`${parent} is in memory: give a folder on a disk with --data`);
  const folder = mkdtempSync(join(parent, 'perdure-bench-'));
  // PostgreSQL's user must be able to go through it.
  chmodSync(folder, 0o711);
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
