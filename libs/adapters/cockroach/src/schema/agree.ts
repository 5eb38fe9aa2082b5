import type { CockroachPool } from '../pool/cockroach-pool.js';
import type { Statement } from '../pool/statement.js';

const NOTE: Statement = { name: 'agree_note', text: 'insert into agreed (name, value) values ($1, $2) on conflict (name) do nothing' };
const NOTED: Statement = { name: 'agree_noted', text: 'select name, value from agreed' };

/** What all who use these tables must say alike, by name. Whoever says it first has noted it for as long as there are tables; gives what is noted. @throws StoreFault */
export async function agree(pool: CockroachPool, said: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, string>> {
  for (const [name, value] of Object.entries(said)) await pool.write(NOTE, [name, value]);
  const rows = await pool.read(NOTED, []);
  return new Map(rows.map(({ name, value }) => [name as string, value as string]));
}
