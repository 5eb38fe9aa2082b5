import { COCKROACH_LIMITS } from '../cockroach-limits.js';
import { byteas, int8s, texts } from '../pool/arrays.js';
import type { Query, Statement } from '../pool/statement.js';

/** A column of a table, and what a row has in it. */
type Column<R> = { readonly name: string } & (
  | { readonly type: 'text'; readonly of: (row: R) => string | null }
  | { readonly type: 'bigint'; readonly of: (row: R) => number | null }
  | { readonly type: 'bytea'; readonly of: (row: R) => Uint8Array | null }
  /** Its members, without commas, joined by them; an array of arrays cannot be unnested. */
  | { readonly type: 'list'; readonly of: (row: R) => string | null }
);

export interface Rows<R> {
  readonly table: string;
  /** Of the statement; absent: it puts rows into the table. */
  readonly name?: string;
  readonly columns: readonly Column<R>[];
  /** What happens to a row whose key is there; absent: the batch is refused. */
  readonly onConflict?: string;
}

/** Puts rows of one slice into a table, many by one statement. */
export class InsertRows<R> {
  readonly #columns: readonly Column<R>[];
  readonly #statement: Statement;

  constructor({ table, columns, onConflict, name = `put_${table}` }: Rows<R>) {
    const names = columns.map((column) => column.name);
    const values = columns.map((column) => (column.type === 'list' ? `string_to_array(v.${column.name}, ',')` : `v.${column.name}`));
    const arrays = columns.map(({ type }, index) => `$${index + 2}::${type === 'list' ? 'text' : type}[]`);
    const end = onConflict === undefined ? '' : ` on conflict ${onConflict}`;
    this.#columns = columns;
    this.#statement = { name, text: `insert into ${table} (slice, ${names.join(', ')}) select $1::text, ${values.join(', ')} from unnest(${arrays.join(', ')}) as v(${names.join(', ')})${end}` };
  }

  /** One statement, or several where one would be too long. */
  queries(slice: string, rows: readonly R[]): Query[] {
    return this.#parts(rows).map((part) => ({ statement: this.#statement, values: [slice, ...this.#columns.map((column) => valuesOf(column, part))] }));
  }

  #parts(rows: readonly R[]): (readonly R[])[] {
    const parts: R[][] = [];
    let room = 0;
    for (const row of rows) {
      const chars = this.#columns.reduce((sum, column) => sum + charsOf(column.of(row)), 0);
      room -= chars;
      if (room >= 0 && parts.length > 0) parts.at(-1)!.push(row);
      else {
        parts.push([row]);
        room = COCKROACH_LIMITS.statementCharsMax - chars;
      }
    }
    return parts;
  }
}

const charsOf = (value: string | number | Uint8Array | null): number => (value === null || typeof value === 'number' ? 0 : value.length);

function valuesOf<R>(column: Column<R>, rows: readonly R[]): Buffer {
  if (column.type === 'bigint') return int8s(rows.map(column.of));
  return column.type === 'bytea' ? byteas(rows.map(column.of)) : texts(rows.map(column.of));
}

export const text = <R>(name: string, of: (row: R) => string | null): Column<R> => ({ name, type: 'text', of });
export const bigint = <R>(name: string, of: (row: R) => number | null): Column<R> => ({ name, type: 'bigint', of });
export const bytea = <R>(name: string, of: (row: R) => Uint8Array | null): Column<R> => ({ name, type: 'bytea', of });
export const list = <R>(name: string, of: (row: R) => string | null): Column<R> => ({ name, type: 'list', of });
/** JSON as text. It has no raw U+0000 and no half of a surrogate pair: both are escaped. */
export const json = <R>(name: string, of: (row: R) => unknown): Column<R> => ({ name, type: 'text', of: (row) => JSON.stringify(of(row)) });
