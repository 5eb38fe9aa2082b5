import assert from 'node:assert/strict';
import type { VoidReason } from '@perdure/contract';
import type { Baseline } from './baseline.js';
import { LimitHit, type Instance } from './instance.js';
import { GuestError, Interpreter } from './interpreter.js';
import type { SandboxLimits } from './limits.js';
import { takeSnapshot } from './snapshot.js';

/** What came of one job: its output, or the limit that made it void. */
export type Activation = { readonly kind: 'ok'; readonly output: string } | { readonly kind: 'voided'; readonly reason: VoidReason; readonly message: string };

/** One run's world: its globals, heap and pending promises. */
export interface Realm {
  /** Gives the job to `__perdure.activate`, runs all pending jobs and returns what `__perdure.drain` says. After `voided` only close() is left. */
  activate(job: string): Activation;
  /** The same, and then the realm's memory is put back, byte for byte. */
  probe(job: string): Activation;
  /** The same; the memory is put back when the output is refused, or `refused` throws. */
  activateUnless(job: string, refused: (output: string) => boolean): Activation;
  /** The realm's memory, at rest, for `Sandbox.restoreRealm` of any process with the same key. */
  snapshot(): Uint8Array;
  /** Gives the instance back; the realm is gone. */
  close(): void;
}

/** What a realm needs of its sandbox. */
export interface RealmHost {
  readonly limits: SandboxLimits;
  readonly snapshotKey: Uint8Array;
  /** Holds a realm's memory while a probe runs; realms of one sandbox never run at once. */
  spare: Buffer;
  release(instance: Instance, baseline: Baseline): void;
}

export class LiveRealm implements Realm {
  readonly #host: RealmHost;
  readonly #instance: Instance;
  readonly #baseline: Baseline;
  readonly #interpreter: Interpreter;
  #closed = false;

  constructor(host: RealmHost, instance: Instance, baseline: Baseline) {
    this.#host = host;
    this.#instance = instance;
    this.#baseline = baseline;
    this.#interpreter = new Interpreter(instance, baseline.roots.runtime, baseline.roots.context);
  }

  activate(job: string): Activation {
    assert(!this.#closed && !this.#instance.broken, 'a closed or voided realm runs nothing');
    try {
      return { kind: 'ok', output: this.#instance.run(this.#host.limits.activationMs, () => this.#perform(job)) };
    } catch (thrown) {
      if (thrown instanceof LimitHit) return { kind: 'voided', reason: thrown.reason, message: thrown.message };
      if (thrown instanceof GuestError) return { kind: 'voided', reason: 'trap', message: thrown.message };
      throw thrown;
    }
  }

  probe(job: string): Activation {
    return this.activateUnless(job, () => true);
  }

  activateUnless(job: string, refused: (output: string) => boolean): Activation {
    const instance = this.#instance;
    const pages = instance.pages;
    this.#host.spare = instance.save(this.#host.spare);
    let kept = false;
    try {
      const activation = this.activate(job);
      kept = activation.kind === 'ok' && !refused(activation.output);
      return activation;
    } finally {
      if (!kept && !instance.broken) instance.putBack(this.#host.spare, pages);
    }
  }

  snapshot(): Uint8Array {
    assert(!this.#closed && !this.#instance.broken, 'a closed or voided realm has no image');
    return takeSnapshot(this.#instance, this.#baseline, this.#host.snapshotKey);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.release(this.#instance, this.#baseline);
  }

  #perform(job: string): string {
    const { activate, drain } = this.#baseline.roots;
    this.#interpreter.send(activate, job);
    for (;;) {
      this.#interpreter.runJobs();
      const output = this.#interpreter.receive(drain, this.#host.limits.outputBytesMax);
      if (output !== '') return output;
      this.#instance.checkDeadline();
    }
  }
}
