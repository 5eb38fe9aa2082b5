import type { Job } from '@perdure/contract';
import { BundleSource, Realm, RealmHost, type BundleCode, type RealmActivation } from '@perdure/history';
import { Deadly, Interpreter, type Memory } from './interpreter.js';

/** The realm of one run. What the real one does with pages, this one does with text; the sandbox itself is proved elsewhere. */
class SimRealm extends Realm {
  #interpreter: Interpreter;
  readonly #onDeath: () => void;

  constructor(onDeath: () => void, memory?: Memory) {
    super();
    this.#onDeath = onDeath;
    this.#interpreter = new Interpreter(memory);
  }

  override activate(job: string): RealmActivation {
    try {
      return { kind: 'ok', output: JSON.stringify(this.#interpreter.activate(JSON.parse(job) as Job)) };
    } catch (thrown) {
      if (thrown instanceof Deadly) this.#onDeath();
      throw thrown;
    }
  }

  override activateUnless(job: string, refused: (output: string) => boolean): RealmActivation {
    const before = JSON.stringify(this.#interpreter.memory);
    const activation = this.activate(job);
    if (activation.kind === 'ok' && refused(activation.output)) this.#interpreter = new Interpreter(JSON.parse(before) as Memory);
    return activation;
  }

  override probe(job: string): RealmActivation {
    return this.activateUnless(job, () => true);
  }

  override snapshot(): Uint8Array {
    return Buffer.from(JSON.stringify(this.#interpreter.memory));
  }

  override close(): void {
    // It holds memory alone.
  }
}

/** The realms of one process; `onDeath`: the code has killed it. */
export class SimRealms extends RealmHost {
  override readonly build = 'simulated';
  override readonly heldBytes = 0;
  readonly #onDeath: () => void;

  constructor(onDeath: () => void) {
    super();
    this.#onDeath = onDeath;
  }

  override hasBundle(): boolean {
    return true;
  }
  override loadBundle(): { readonly baselineHash: string } {
    return { baselineHash: 'baseline' };
  }
  override openRealm(): Realm {
    return new SimRealm(this.#onDeath);
  }
  override restoreRealm(_bundle: string, image: Uint8Array): Realm | undefined {
    try {
      return new SimRealm(this.#onDeath, JSON.parse(Buffer.from(image).toString()) as Memory);
    } catch {
      return undefined;
    }
  }
}

export const BUNDLE = 'b'.repeat(64);

export class SimBundles extends BundleSource {
  override async find(_tenant: string, hash: string): Promise<BundleCode | undefined> {
    return hash === BUNDLE ? { hash, code: '', workflows: ['program'] } : undefined;
  }
  override async defaultFor(_tenant: string, workflowType: string): Promise<string | undefined> {
    return workflowType === 'program' ? BUNDLE : undefined;
  }
}
