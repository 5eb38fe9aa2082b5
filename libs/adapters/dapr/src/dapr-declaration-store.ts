import { PerdureError } from '@perdure/contract';
import { DeclarationStore, parseDeclarations, type Declarations, type StoredDeclarations } from '@perdure/hosting';
import type { DaprState } from './dapr-state.js';

/** Under which all services find them: the component gives no app keys of its own. */
export const DECLARATIONS_KEY = 'perdure/declarations';

/** A mesh's declarations in Dapr's state, whatever component stands behind it. */
export class DaprDeclarationStore extends DeclarationStore {
  readonly #state: Pick<DaprState, 'get' | 'save'>;
  readonly #key: string;

  constructor(state: Pick<DaprState, 'get' | 'save'>, key = DECLARATIONS_KEY) {
    super();
    this.#state = state;
    this.#key = key;
  }

  override async get(): Promise<StoredDeclarations | undefined> {
    const stored = await this.#state.get(this.#key);
    return stored && { declarations: parseDeclarations(stored.value, `state "${this.#key}"`), version: stored.etag };
  }

  override async put(declarations: Declarations, version?: string): Promise<boolean> {
    refuseSecrets(declarations);
    return this.#state.save(this.#key, declarations, version === undefined ? {} : { etag: version });
  }
}

/** State is read by whoever may call a sidecar, and backed up: secrets are there by reference alone (design §15). */
function refuseSecrets({ webhooks }: Declarations): void {
  const sources = Object.entries(webhooks).filter(([, { secrets }]) => secrets.some((secret) => typeof secret === 'string'));
  if (sources.length === 0) return;
  throw new PerdureError('invalid-request', `Webhook sources ${sources.map(([name]) => `"${name}"`).join(', ')}: a secret that stands in the text is not put into state. Name its variable: { "env": "NAME" }.`);
}
