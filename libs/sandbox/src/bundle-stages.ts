import type { Baseline } from './baseline.js';
import type { SandboxLimits } from './limits.js';
import type { RealmMemory } from './realm-memory.js';
import type { Stage } from './stage.js';

/** What stages cost is one sandbox's to bound. */
export interface StageOwner {
  readonly limits: SandboxLimits;
  /** `undefined`: there are as many as there may be, and none can be spared. */
  createStage(baseline: Baseline, isNeeded: boolean): Stage | undefined;
  strikeStage(stage: Stage): void;
}

/** The stages of one bundle: one that its realms share, and one for each realm that is too large to be moved all the time. */
export class BundleStages {
  readonly #owner: StageOwner;
  readonly #baseline: Baseline;
  #shared: Stage | undefined;

  constructor(owner: StageOwner, baseline: Baseline) {
    this.#owner = owner;
    this.#baseline = baseline;
  }

  /** The stage on which the realm's memory now is. */
  enter(memory: RealmMemory): Stage {
    if (memory.stage === undefined) this.#findPlace(memory);
    const stage = memory.stage ?? this.#sharedStage();
    stage.enter(memory);
    if (memory.stage !== undefined) stage.stay(memory);
    return stage;
  }

  /** The stage is of no use any more: a limit left it half-done. */
  strike(stage: Stage, memory: RealmMemory): void {
    if (memory.stage === stage) memory.stage = undefined;
    if (this.#shared === stage) this.#shared = undefined;
    this.#owner.strikeStage(stage);
  }

  /** The realm is gone. */
  close(memory: RealmMemory): void {
    this.#shared?.forget(memory);
    if (memory.stage !== undefined) this.strike(memory.stage, memory);
  }

  /** Gives the shared stage up. Whoever is on it goes on elsewhere. */
  dismiss(): boolean {
    const stage = this.#shared;
    if (stage === undefined) return false;
    stage.leave();
    this.#shared = undefined;
    this.#owner.strikeStage(stage);
    return true;
  }

  /** Gives a large realm a stage of its own. How large one is that stands on the shared stage its records do not tell: they are of an earlier time. */
  #findPlace(memory: RealmMemory): void {
    const { largeRealmBytes, stageSurplusBytesMax } = this.#owner.limits;
    if (this.#shared !== undefined && this.#shared.surplusBytes > stageSurplusBytesMax) {
      // One that a realm has made much larger is not kept for the others.
      if (this.#shared.holds(memory)) this.#shared.leave();
      else this.dismiss();
    }
    if (memory.length > largeRealmBytes && !this.#shared?.holds(memory)) memory.stage = this.#owner.createStage(this.#baseline, false);
  }

  #sharedStage(): Stage {
    this.#shared ??= this.#owner.createStage(this.#baseline, true)!;
    return this.#shared;
  }
}
