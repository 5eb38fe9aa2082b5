import { PerdureError, type ActivationOutput, type Command, type Job } from '@perdure/contract';
import { Realm, RealmHost, type RealmActivation } from '../ports/realm-host.js';

/** What a scripted workflow does with one job. `memory` is all it has; it may change it. Throwing `Voided` is a limit that fired. */
export type Script = (job: Job, memory: Record<string, number>) => Partial<ActivationOutput> | readonly Command[] | undefined;

export class Voided extends Error {}

class FakeRealm extends Realm {
  readonly #host: FakeRealms;
  readonly #script: Script;
  #memory: Record<string, number>;

  constructor(host: FakeRealms, script: Script, memory: Record<string, number> = {}) {
    super();
    this.#host = host;
    this.#script = script;
    this.#memory = memory;
    host.live += 1;
  }

  override activate(text: string): RealmActivation {
    this.#host.checkRoom();
    const job = JSON.parse(text) as Job;
    this.#host.activations.push(job.kind);
    try {
      const made = this.#script(job, this.#memory) ?? {};
      const output: ActivationOutput = Array.isArray(made) ? { commands: made as readonly Command[] } : { commands: [], ...made };
      return { kind: 'ok', output: JSON.stringify(output) };
    } catch (thrown) {
      if (thrown instanceof Voided) return { kind: 'voided', reason: 'time', message: thrown.message };
      throw thrown;
    }
  }

  override activateUnless(job: string, refused: (output: string) => boolean): RealmActivation {
    const before = { ...this.#memory };
    const activation = this.activate(job);
    if (activation.kind === 'ok' && refused(activation.output)) this.#memory = before;
    return activation;
  }

  override probe(job: string): RealmActivation {
    return this.activateUnless(job, () => true);
  }

  override snapshot(): Uint8Array {
    this.#host.checkRoom();
    return Buffer.from(JSON.stringify(this.#memory));
  }

  override close(): void {
    this.#host.live -= 1;
  }
}

/** Realms whose code is a function of the test: a bundle's hash names its script. */
export class FakeRealms extends RealmHost {
  override readonly build = 'fake-1';
  readonly scripts: Record<string, Script>;
  readonly activations: string[] = [];
  live = 0;
  /** What each of them is said to hold. */
  bytesEach = 0;
  restored = 0;
  /** The machine has no memory for a realm to run in. */
  isFull = false;
  readonly #loaded = new Set<string>();

  constructor(scripts: Record<string, Script>) {
    super();
    this.scripts = scripts;
  }

  checkRoom(): void {
    if (this.isFull) throw new PerdureError('overloaded', 'the machine has no room for the realm');
  }

  override get heldBytes(): number {
    return this.live * this.bytesEach;
  }

  override hasBundle(hash: string): boolean {
    return this.#loaded.has(hash);
  }

  override loadBundle({ hash }: { readonly hash: string }): { readonly baselineHash: string } {
    this.#loaded.add(hash);
    return { baselineHash: `baseline of ${hash}` };
  }

  override openRealm(bundleHash: string): Realm {
    return new FakeRealm(this, this.scripts[bundleHash]!);
  }

  override restoreRealm(bundleHash: string, image: Uint8Array): Realm | undefined {
    this.restored += 1;
    return new FakeRealm(this, this.scripts[bundleHash]!, JSON.parse(Buffer.from(image).toString()) as Record<string, number>);
  }
}
