/** A statement that is prepared once a connection, under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** What goes to the server: text as text, a number as its digits, bytes and arrays (`arrays.ts`) in their binary form. */
export type Value = string | number | null | Buffer;

export interface Query {
  readonly statement: Statement;
  readonly values: readonly Value[];
}

export type Row = Readonly<Record<string, unknown>>;
