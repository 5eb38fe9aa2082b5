import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Children } from './children.js';
import { LoadGenerator } from './load-generator.js';
import type { Options } from './options.js';
import { BareSystem } from './systems/bare.js';
import { PerdureSystem, type PerdureOptions } from './systems/perdure.js';
import { RestateSystem } from './systems/restate.js';
import type { System } from './systems/system.js';

const TMPFS = 0x01021994;

/** What the workloads share: the options, the generator, and servers over fresh folders. */
export class Lab {
  readonly options: Options;
  readonly children: Children;
  readonly generator: LoadGenerator;
  readonly folder: string;
  #systems = 0;

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

  has(name: 'perdure' | 'restate'): boolean {
    return this.options.systems.includes(name);
  }

  perdure(options: Omit<PerdureOptions, 'folder'> = {}): Promise<System> {
    return this.#started(new PerdureSystem(this.children, { ...options, folder: this.#freshFolder() }));
  }

  restate(options: { readonly trace?: string } = {}): Promise<System> {
    return this.#started(new RestateSystem(this.children, { ...options, folder: this.#freshFolder() }));
  }

  bare(): Promise<System> {
    return this.#started(new BareSystem(this.children));
  }

  /** Those that were asked for, as the table compares them. */
  async asked(): Promise<System[]> {
    return [...(this.has('perdure') ? [await this.perdure()] : []), ...(this.has('restate') ? [await this.restate()] : [])];
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
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
