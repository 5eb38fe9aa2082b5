import { randomBytes } from 'node:crypto';
import { PerdureError } from '@perdure/contract';
import { evaluateBundle, type Baseline } from './baseline.js';
import { loadEngine, type Engine } from './engine.js';
import { Instance } from './instance.js';
import { toLimits, WASM_PAGE_BYTES, type SandboxLimits } from './limits.js';
import { LiveRealm, type Realm, type RealmHost } from './realm.js';
import { applySnapshot, rejectionOf, type SnapshotRejection } from './snapshot.js';

export interface SandboxOptions {
  readonly limits?: Partial<SandboxLimits>;
  /** Authenticates snapshots (I7); give every process that shares them the same. Default: random, good for this sandbox alone. */
  readonly snapshotKey?: Uint8Array;
}

export interface LoadedBundle {
  readonly hash: string;
  readonly baselineHash: string;
  readonly manifest: string;
}

export interface SandboxStats {
  readonly liveRealms: number;
  readonly idleInstances: number;
  readonly bundles: number;
  readonly instancesCreated: number;
  readonly instancesDestroyed: number;
  readonly snapshotsRejected: number;
}

interface Loaded {
  readonly baseline: Baseline;
  realms: number;
}

/**
 * Runs bundles in realms, each with an instance of the interpreter of its own. One per thread.
 *
 * 1. A realm begins as an exact copy of its bundle's baseline; nothing of the instance's former realm is left.
 * 2. An instance that trapped or hit a limit is never used again.
 * 3. No more than `instancesMax` realms live at a time.
 */
export class Sandbox {
  readonly build: string;
  readonly #engine: Engine;
  readonly #limits: SandboxLimits;
  readonly #host: RealmHost;
  readonly #bundles = new Map<string, Loaded>();
  readonly #idle: Instance[] = [];
  #idlePages = 0;
  #live = 0;
  #created = 0;
  #destroyed = 0;
  #rejected = 0;
  #disposed = false;

  private constructor(engine: Engine, limits: SandboxLimits, snapshotKey: Uint8Array) {
    this.build = engine.build;
    this.#engine = engine;
    this.#limits = limits;
    this.#host = { limits, snapshotKey, spare: Buffer.alloc(0), release: (instance, baseline) => this.#release(instance, baseline) };
  }

  static async create(options: SandboxOptions = {}): Promise<Sandbox> {
    const limits = toLimits(options.limits);
    return new Sandbox(await loadEngine(limits), limits, options.snapshotKey ?? randomBytes(32));
  }

  /** Evaluates a bundle once; asked again, it answers from what it holds. */
  loadBundle(bundle: { readonly hash: string; readonly code: string }): LoadedBundle {
    this.#checkOpen();
    let loaded = this.#touch(bundle.hash);
    if (loaded === undefined) {
      const bytes = Buffer.byteLength(bundle.code, 'utf8');
      if (bytes > this.#limits.bundleBytesMax) throw new PerdureError('payload-too-large', `the bundle has ${bytes} bytes; ${this.#limits.bundleBytesMax} are allowed`);
      this.#makeRoomForBundle();
      loaded = { baseline: evaluateBundle(this.#engine, this.#limits, bundle), realms: 0 };
      this.#bundles.set(bundle.hash, loaded);
    }
    const { hash, manifest } = loaded.baseline;
    return { hash: bundle.hash, baselineHash: hash, manifest };
  }

  hasBundle(hash: string): boolean {
    return this.#bundles.has(hash);
  }

  /** A fresh realm at the bundle's baseline. */
  openRealm(bundleHash: string): Realm {
    const loaded = this.#loaded(bundleHash);
    return this.#open(loaded).realm;
  }

  /** A realm as the image has it. `undefined`: the image does not fit, see `snapshotRejection`; replay instead (I7). */
  restoreRealm(bundleHash: string, image: Uint8Array): Realm | undefined {
    const loaded = this.#loaded(bundleHash);
    if (this.#rejectionOf(loaded, image) !== undefined) {
      this.#rejected++;
      return undefined;
    }
    const { realm, instance } = this.#open(loaded);
    applySnapshot(instance, image);
    return realm;
  }

  /** Why `restoreRealm` would not take the image; `undefined` when it would. */
  snapshotRejection(bundleHash: string, image: Uint8Array): SnapshotRejection | undefined {
    return this.#rejectionOf(this.#loaded(bundleHash), image);
  }

  stats(): SandboxStats {
    return { liveRealms: this.#live, idleInstances: this.#idle.length, bundles: this.#bundles.size, instancesCreated: this.#created, instancesDestroyed: this.#destroyed, snapshotsRejected: this.#rejected };
  }

  /** Forgets everything; open realms must not be used after. */
  dispose(): void {
    this.#disposed = true;
    this.#idle.length = 0;
    this.#idlePages = 0;
    this.#bundles.clear();
  }

  #rejectionOf({ baseline }: Loaded, image: Uint8Array): SnapshotRejection | undefined {
    return rejectionOf(image, { build: this.build, baseline, key: this.#host.snapshotKey });
  }

  #open(loaded: Loaded): { readonly realm: LiveRealm; readonly instance: Instance } {
    const instance = this.#takeInstance();
    instance.reset(loaded.baseline);
    this.#live++;
    loaded.realms++;
    return { realm: new LiveRealm(this.#host, instance, loaded.baseline), instance };
  }

  #takeInstance(): Instance {
    if (this.#live >= this.#limits.instancesMax) throw new PerdureError('overloaded', `${this.#live} realms are live; ${this.#limits.instancesMax} are allowed`);
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      this.#idlePages -= idle.physicalPages;
      return idle;
    }
    try {
      const fresh = new Instance(this.#engine);
      this.#created++;
      return fresh;
    } catch (thrown) {
      throw new PerdureError('overloaded', 'the machine has no room for another realm', { cause: thrown });
    }
  }

  #release(instance: Instance, baseline: Baseline): void {
    this.#live--;
    const loaded = this.#bundles.get(baseline.bundleHash);
    if (loaded !== undefined) loaded.realms--;
    if (instance.broken || this.#disposed || !this.#fitsThePool(instance, baseline)) {
      this.#destroyed++;
      return;
    }
    this.#idle.push(instance);
    this.#idlePages += instance.physicalPages;
  }

  /** Measured from the baseline up: a large bundle's realms are pooled as a small one's are. */
  #fitsThePool(instance: Instance, baseline: Baseline): boolean {
    const { pooledBytesMax, idleInstancesMax } = this.#limits;
    if ((instance.physicalPages - baseline.pages) * WASM_PAGE_BYTES > pooledBytesMax) return false;
    return this.#idle.length < idleInstancesMax && (this.#idlePages + instance.physicalPages) * WASM_PAGE_BYTES <= idleInstancesMax * pooledBytesMax;
  }

  #checkOpen(): void {
    if (this.#disposed) throw new PerdureError('draining', 'the sandbox is disposed');
  }

  #loaded(bundleHash: string): Loaded {
    this.#checkOpen();
    const loaded = this.#touch(bundleHash);
    if (loaded === undefined) throw new PerdureError('unknown-bundle', `the bundle ${bundleHash} is not loaded`);
    return loaded;
  }

  /** Keeps the map in the order of last use. */
  #touch(hash: string): Loaded | undefined {
    const loaded = this.#bundles.get(hash);
    if (loaded === undefined) return undefined;
    this.#bundles.delete(hash);
    this.#bundles.set(hash, loaded);
    return loaded;
  }

  #makeRoomForBundle(): void {
    if (this.#bundles.size < this.#limits.bundlesMax) return;
    for (const [hash, loaded] of this.#bundles) {
      if (loaded.realms > 0) continue;
      this.#bundles.delete(hash);
      return;
    }
    throw new PerdureError('overloaded', `all ${this.#bundles.size} loaded bundles have live realms`);
  }
}
