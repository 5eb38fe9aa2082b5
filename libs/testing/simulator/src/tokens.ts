import type { Kernel } from './kernel.js';
import type { Tenant } from './program.js';

const TRY_P = 0.1;

/** The tokens that each tenant's workers have seen, for whoever would misuse them. */
export class Tokens {
  readonly #kernel: Kernel;
  readonly #last = new Map<Tenant, string>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  note(tenant: Tenant, token: string): void {
    this.#last.set(tenant, token);
  }

  /** Now and then, if there is one. */
  ofStranger(tenant: Tenant): string | undefined {
    const token = [...this.#last].find(([other]) => other !== tenant)?.[1];
    return token !== undefined && this.#kernel.random.chance(TRY_P) ? token : undefined;
  }
}
