import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DAPR_TOPICS } from '../dapr-bus.js';

export interface ComponentFolderOptions {
  /** One of `components/`. */
  readonly from: string;
  /** Goes before app ids and topics, so that one mesh on a machine does not hear another. Absent: as they are. */
  readonly prefix?: string;
}

const APPS = ['ingestion', 'history', 'scheduler', 'correlation', 'compensation'];

/** A folder of components as it is, but with app ids and topics of its own. */
export class ComponentFolder {
  readonly path: string;
  readonly #prefix: string;

  constructor({ from, prefix = '' }: ComponentFolderOptions) {
    this.#prefix = prefix;
    this.path = mkdtempSync(join(tmpdir(), 'perdure-components-'));
    cpSync(from, this.path, { recursive: true });
    for (const name of readdirSync(this.path)) {
      const file = join(this.path, name);
      writeFileSync(file, this.#rename(readFileSync(file, 'utf8')));
    }
  }

  appId(name: string): string {
    return `${this.#prefix}${name}`;
  }

  topic(name: string): string {
    return `${this.#prefix}${name}`;
  }

  get topics(): string[] {
    return DAPR_TOPICS.map((topic) => this.topic(topic));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  #rename(text: string): string {
    const scoped = text.replaceAll(/scopes: \[([^\]]*)\]/g, (_all, names: string) => `scopes: [${names.split(', ').map((name) => (APPS.includes(name) ? this.appId(name) : name)).join(', ')}]`);
    return DAPR_TOPICS.reduce((renamed, topic) => renamed.replaceAll(new RegExp(`(opic: )${topic.replaceAll('.', String.raw`\.`)}$`, 'gm'), `$1${this.topic(topic)}`), scoped);
  }
}

/** Kafka makes no topics of itself: they are to be made before. */
export const isKafka = (folder: string): boolean => readFileSync(join(folder, 'pubsub.yaml'), 'utf8').includes('type: pubsub.kafka');
