// Loaded by jest before each mesh spec: whatever SQL goes over the wire is noted in the file that PERDURE_TEST_STATEMENTS names, once for each
// spec, for the check that comes after them (`statements/check-statements.ts`).
import { appendFileSync } from 'node:fs';
import { Connection } from 'pg';
import type { SentText } from '../statements/check-statements.js';

/** Where the driver writes its messages: `Parse`, with the statement's name, and `Query`. */
interface Wire {
  parse(query: SentText, ...rest: readonly unknown[]): void;
  query(text: string): void;
}

function record(file: string, wire: Wire): void {
  const seen = new Set<string>();
  const note = ({ name, text }: SentText): void => {
    const line = JSON.stringify({ ...(name ? { name } : {}), text });
    if (!seen.has(line)) appendFileSync(file, `${line}\n`);
    seen.add(line);
  };
  const { parse, query } = wire;
  wire.parse = function (this: Wire, sent, ...rest) {
    note(sent);
    parse.call(this, sent, ...rest);
  };
  wire.query = function (this: Wire, text) {
    note({ text });
    query.call(this, text);
  };
}

const file = process.env['PERDURE_TEST_STATEMENTS'];
if (file) record(file, Connection.prototype as unknown as Wire);
