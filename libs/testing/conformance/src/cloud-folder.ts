import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument, type Document } from 'yaml';

interface Item {
  readonly name: string;
}

export interface StandIn {
  /** Of `components/`. */
  readonly from: string;
  /** What the cloud's store of secrets holds, by the names that the components use. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What of pub/sub's metadata is the cloud's: other values, and what is not there (`undefined`). */
  readonly pubsub: Readonly<Record<string, string | undefined>>;
}

/**
 * A cloud's components as they are but for what only the cloud has: where the brokers are and who has signed their certificates, and the
 * store of secrets, in whose place a file holds them.
 */
export class CloudFolder {
  readonly path: string;
  readonly #secretsFile: string;

  constructor({ from, secrets, pubsub }: StandIn) {
    this.path = mkdtempSync(join(tmpdir(), 'perdure-cloud-'));
    cpSync(from, this.path, { recursive: true });
    // Not beside the components: daprd would take it for one.
    this.#secretsFile = `${this.path}-secrets.json`;
    writeFileSync(this.#secretsFile, JSON.stringify(secrets), { mode: 0o600 });
    this.#change('secretstore', (component) => {
      component.setIn(['spec', 'type'], 'secretstores.local.file');
      component.setIn(['spec', 'metadata'], [{ name: 'secretsFile', value: this.#secretsFile }]);
    });
    this.#change('pubsub', (component) => {
      const others = (component.toJSON() as { spec: { metadata: Item[] } }).spec.metadata.filter(({ name }) => !(name in pubsub));
      component.setIn(['spec', 'metadata'], [...others, ...Object.entries(pubsub).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]))]);
    });
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
    rmSync(this.#secretsFile);
  }

  #change(name: string, change: (component: Document) => void): void {
    const file = join(this.path, `${name}.yaml`);
    const component = parseDocument(readFileSync(file, 'utf8'));
    change(component);
    // As they were: others read these files by their lines.
    writeFileSync(file, component.toString({ flowCollectionPadding: false, lineWidth: 0 }));
  }
}
