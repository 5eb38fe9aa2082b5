import { RealmHost, type Realm } from '@perdure/history';
import type { Sandbox } from '@perdure/sandbox';

/** History's realms, by the sandbox of this thread. */
export class SandboxRealms extends RealmHost {
  override readonly build: string;
  readonly #sandbox: Sandbox;

  constructor(sandbox: Sandbox) {
    super();
    this.#sandbox = sandbox;
    this.build = sandbox.build;
  }

  override get heldBytes(): number {
    return this.#sandbox.heldBytes;
  }
  override hasBundle(hash: string): boolean {
    return this.#sandbox.hasBundle(hash);
  }
  override loadBundle(bundle: { readonly hash: string; readonly code: string }): { readonly baselineHash: string } {
    return this.#sandbox.loadBundle(bundle);
  }
  override openRealm(bundleHash: string): Realm {
    return this.#sandbox.openRealm(bundleHash);
  }
  override restoreRealm(bundleHash: string, image: Uint8Array): Realm | undefined {
    return this.#sandbox.restoreRealm(bundleHash, image);
  }
}
