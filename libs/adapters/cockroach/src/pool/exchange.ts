import { StoreFault } from '@perdure/delivery';
import { types, type ClientBase, type Connection, type Submittable } from 'pg';
import type { Query, Row } from './statement.js';

/** The driver's connection has these two; its types ask for more arguments than it takes. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void };
  parse(query: { readonly name: string; readonly text: string }): void;
  bind(config: { readonly statement: string; readonly values: readonly (string | Buffer | null)[] }): void;
  describe(message: { readonly type: 'P' }): void;
  execute(config: object): void;
  close(message: { readonly type: 'S'; readonly name: string }): void;
  sync(): void;
}

interface Field {
  readonly name: string;
  readonly dataTypeID: number;
}

/** Whether the server has a statement under its name; `unsure` after an error, and then it is closed before it is prepared anew. */
type Prepared = 'ready' | 'unsure';
const prepared = new WeakMap<ClientBase, Map<string, Prepared>>();

const INT8 = 20;
/** Counts, times and numbers are far below 2^53. */
const parserOf = (type: number): ((value: string) => unknown) => (type === INT8 ? Number : (types.getTypeParser(type) as (value: string) => unknown));

/** An error of an exchange, with the place of the statement that it came from. */
export interface Failure {
  readonly error: unknown;
  readonly index: number;
}

export interface Answers {
  readonly results: readonly (readonly Row[])[];
  /** How each command says that it is done, as `COMMIT` or `INSERT 0 3`. */
  readonly tags: readonly string[];
}

interface Settle {
  resolve(answers: Answers): void;
  reject(failure: Failure): void;
}

/**
 * Statements that are sent in one go, with one Sync at their end, and answered in one: a round trip. After an error the server passes
 * over all that follows up to the Sync, so that no statement runs of which an earlier one failed, be that one BEGIN itself. That is why
 * this is not the driver's own pipeline, where each statement has a Sync of its own.
 */
export class Exchange implements Submittable {
  readonly #queries: readonly Query[];
  readonly #known: Map<string, Prepared>;
  readonly #settle: Settle;
  readonly #results: Row[][] = [];
  readonly #tags: string[] = [];
  #fields: readonly Field[] = [];
  #parsers: readonly ((value: string) => unknown)[] = [];
  #rows: Row[] = [];
  /** The driver's own time limit calls it. */
  callback: (error: unknown) => void;

  private constructor(client: ClientBase, queries: readonly Query[], settle: Settle) {
    this.#queries = queries;
    this.#known = prepared.get(client) ?? new Map<string, Prepared>();
    prepared.set(client, this.#known);
    this.#settle = settle;
    this.callback = (error) => error && this.#fail(error);
  }

  /** Rejects with a `Failure`. */
  static run(client: ClientBase, queries: readonly Query[]): Promise<Answers> {
    return new Promise((resolve, reject: (failure: Failure) => void) => {
      try {
        client.query(new Exchange(client, queries, { resolve, reject }));
      } catch (error) {
        // A value that the driver cannot write: what was sent before it, nobody ends.
        reject({ error, index: 0 });
      }
    });
  }

  submit(connection: Connection): void {
    const wire = connection as unknown as Wire;
    wire.stream.cork();
    try {
      for (const query of this.#queries) this.#send(wire, query);
    } finally {
      wire.sync();
      wire.stream.uncork();
    }
  }

  handleRowDescription({ fields }: { readonly fields: readonly Field[] }): void {
    this.#fields = fields;
    this.#parsers = fields.map(({ dataTypeID }) => parserOf(dataTypeID));
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const row: Record<string, unknown> = {};
    for (const [index, { name }] of this.#fields.entries()) row[name] = fields[index] === null ? null : this.#parsers[index]!(fields[index]!);
    this.#rows.push(row);
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#known.set(this.#queries[this.#results.length]!.statement.name, 'ready');
    this.#tags.push(text);
    this.#results.push(this.#rows);
    this.#rows = [];
  }

  handleReadyForQuery(): void {
    this.callback(undefined);
    if (this.#results.length === this.#queries.length) this.#settle.resolve({ results: this.#results, tags: this.#tags });
    else this.#fail(new StoreFault('unavailable', `${this.#queries.length} statements had ${this.#results.length} answers`));
  }

  handleError(error: unknown): void {
    this.callback(error);
  }

  handleEmptyQuery(): void {
    this.#fail(new TypeError('an empty statement'));
  }

  handlePortalSuspended(): void {
    this.#fail(new TypeError('a portal of no bounds was suspended'));
  }

  handleCopyInResponse(): void {
    this.#fail(new TypeError('COPY is not used here'));
  }

  handleCopyData(): void {
    this.#fail(new TypeError('COPY is not used here'));
  }

  #send(wire: Wire, { statement: { name, text }, values }: Query): void {
    const known = this.#known.get(name);
    if (known === 'unsure') wire.close({ type: 'S', name });
    if (known !== 'ready') wire.parse({ name, text });
    // Twice in one exchange: prepared by the first. An error makes it unsure.
    this.#known.set(name, 'ready');
    wire.bind({ statement: name, values: values.map((value) => (typeof value === 'number' ? String(value) : value)) });
    wire.describe({ type: 'P' });
    wire.execute({});
  }

  #fail(error: unknown): void {
    const index = this.#results.length;
    for (const { statement } of this.#queries.slice(index)) this.#known.set(statement.name, 'unsure');
    // What was done twice in this exchange had its first turn: closing and preparing it anew is sound as well.
    this.#settle.reject({ error, index });
  }
}
