import { randomBytes } from 'node:crypto';
import { PerdureError } from '@perdure/contract';
import { evaluateBundle, type Baseline } from './baseline.js';
import { BundleStages, type StageOwner } from './bundle-stages.js';
import { loadEngine, type Engine } from './engine.js';
import { toLimits, type SandboxLimits } from './limits.js';
import { LiveRealm, type Realm, type RealmHost } from './realm.js';
import { RecordBuffers } from './realm-memory.js';
import { rejectionOf, type SnapshotRejection } from './snapshot.js';
import { Stage } from './stage.js';

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
  readonly bundles: number;
  readonly stages: number;
  readonly stagesCreated: number;
  readonly snapshotsRejected: number;
}

interface Loaded {
  readonly baseline: Baseline;
  readonly stages: BundleStages;
  realms: number;
}

/**
 * Runs bundles in realms. Those of one bundle take turns on an instance of the interpreter. One per thread.
 *
 * 1. A realm begins as an exact copy of its bundle's baseline, and sees its own memory alone.
 * 2. An instance that trapped or hit a limit is never used again.
 * 3. No more than `realmsMax` realms live at a time.
 */
export class Sandbox {
  readonly build: string;
  readonly #engine: Engine;
  readonly #limits: SandboxLimits;
  readonly #host: RealmHost;
  readonly #bundles = new Map<string, Loaded>();
  readonly #stageOwner: StageOwner;
  readonly #buffers = new RecordBuffers();
  readonly #stages = new Set<Stage>();
  /** Those of them that one large realm has to itself. */
  readonly #ownStages = new Set<Stage>();
  #live = 0;
  #created = 0;
  #rejected = 0;
  #disposed = false;

  private constructor(engine: Engine, limits: SandboxLimits, snapshotKey: Uint8Array) {
    this.build = engine.build;
    this.#engine = engine;
    this.#limits = limits;
    this.#host = { limits, snapshotKey, closed: (realm) => this.#closed(realm) };
    this.#stageOwner = { limits, createStage: (baseline, isNeeded) => this.#createStage(baseline, isNeeded), strikeStage: (stage) => this.#strikeStage(stage) };
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
      const baseline = evaluateBundle(this.#engine, this.#limits, bundle);
      loaded = { baseline, stages: new BundleStages(this.#stageOwner, baseline), realms: 0 };
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
    return this.#open(loaded);
  }

  /** A realm as the image has it. `undefined`: the image does not fit, see `snapshotRejection`; replay instead (I7). */
  restoreRealm(bundleHash: string, image: Uint8Array): Realm | undefined {
    const loaded = this.#loaded(bundleHash);
    if (this.#rejectionOf(loaded, image) !== undefined) {
      this.#rejected++;
      return undefined;
    }
    const realm = this.#open(loaded);
    try {
      realm.restore(image);
    } catch (thrown) {
      realm.close();
      throw thrown;
    }
    return realm;
  }

  /** Why `restoreRealm` would not take the image; `undefined` when it would. */
  snapshotRejection(bundleHash: string, image: Uint8Array): SnapshotRejection | undefined {
    return this.#rejectionOf(this.#loaded(bundleHash), image);
  }

  /** Memory of the live realms: records, and stages that large ones have made larger. */
  get heldBytes(): number {
    let bytes = this.#buffers.givenBytes;
    for (const { surplusBytes } of this.#stages) bytes += surplusBytes;
    return bytes;
  }

  stats(): SandboxStats {
    return { liveRealms: this.#live, bundles: this.#bundles.size, stages: this.#stages.size, stagesCreated: this.#created, snapshotsRejected: this.#rejected };
  }

  /** Forgets everything; open realms must not be used after. */
  dispose(): void {
    this.#disposed = true;
    this.#stages.clear();
    this.#ownStages.clear();
    this.#bundles.clear();
  }

  #rejectionOf({ baseline }: Loaded, image: Uint8Array): SnapshotRejection | undefined {
    return rejectionOf(image, { build: this.build, baseline, key: this.#host.snapshotKey });
  }

  #open(loaded: Loaded): LiveRealm {
    if (this.#live >= this.#limits.realmsMax) throw new PerdureError('overloaded', `${this.#live} realms are live; ${this.#limits.realmsMax} are allowed`);
    this.#live++;
    loaded.realms++;
    return new LiveRealm(this.#host, loaded.stages, loaded.baseline);
  }

  #closed({ memory, baseline }: LiveRealm): void {
    this.#live--;
    this.#buffers.give(memory.records);
    const loaded = this.#bundles.get(baseline.bundleHash);
    if (loaded?.baseline === baseline) loaded.realms--;
  }

  #createStage(baseline: Baseline, isNeeded: boolean): Stage | undefined {
    const { stagesMax } = this.#limits;
    // Half is the bundles', or large realms of one would have all others make a stage anew for each activation.
    if (!isNeeded && (this.#stages.size >= stagesMax || this.#ownStages.size >= stagesMax / 2)) return undefined;
    if (this.#stages.size >= stagesMax) this.#spareStage(baseline);
    try {
      const stage = new Stage(this.#engine, baseline, this.#buffers);
      this.#stages.add(stage);
      if (!isNeeded) this.#ownStages.add(stage);
      this.#created++;
      return stage;
    } catch (thrown) {
      if (!isNeeded) return undefined;
      throw new PerdureError('overloaded', 'the machine has no room for another realm', { cause: thrown });
    }
  }

  #strikeStage(stage: Stage): void {
    this.#stages.delete(stage);
    this.#ownStages.delete(stage);
  }

  /** The bundle that is the longest unused does without; if none has one, there is one more. */
  #spareStage(other: Baseline): void {
    for (const { baseline, stages } of this.#bundles.values()) if (baseline !== other && stages.dismiss()) return;
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
      loaded.stages.dismiss();
      this.#bundles.delete(hash);
      return;
    }
    throw new PerdureError('overloaded', `all ${this.#bundles.size} loaded bundles have live realms`);
  }
}
