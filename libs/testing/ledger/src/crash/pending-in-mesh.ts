import { setTimeout as pause } from 'node:timers/promises';
import { CockroachPool, type Statement } from '@perdure/cockroach';
import { SystemClock } from '@perdure/clock';

/** What a run leaves on purpose, such as the memory of ended rollbacks and of spent events, is none of it, nor are blank rows, which wait for a sweep, nor tombstones, which stay until a later message brings the mark. */
const PENDING: readonly { readonly what: string; readonly statement: Statement }[] = [
  { what: 'a pending task', text: `select slice || ' ' || spec || ' ' || state as row from tasks where spec <> ''` },
  { what: 'a pending timer', text: `select slice || ' ' || body as row from timers where body <> ''` },
  { what: 'a pending wait', text: `select slice || ' ' || body as row from waits where body <> ''` },
  { what: 'a rollback at work', text: `select slice || ' ' || body as row from rollbacks where body <> '' and body not like '%"endedAt":%'` },
  { what: 'a message that nobody has confirmed', text: `select slice || ' > ' || destination || ' ' || number::text || ' ' || body as row from outbox where body <> ''` },
  { what: 'an event offered to a run', text: `select slice || ' ' || source || ' ' || event_id as row from events where state = 'offered'` },
  { what: 'an open run', text: 'select workflow_id as row from runs where closed_at is null' },
].map(({ what, text }) => ({ what, statement: { name: what.replaceAll(' ', '_'), text } }));

/** Confirmations are on their way, and their rows are removed with the next batch or a second later. */
const TRIES_MAX = 30;
const TRY_AGAIN_MS = 500;
const CHARS_MAX = 400;

/** What is still kept as pending in a mesh that has come to rest, each one sentence. */
export const pendingInMesh = async (connectionString: string): Promise<readonly string[]> => {
  const pool = new CockroachPool({ connectionString, clock: new SystemClock(), random: Math.random });
  try {
    for (let tries = 1; ; tries++) {
      const found: string[] = [];
      for (const { what, statement } of PENDING) for (const { row } of await pool.read(statement, [])) found.push(`${what} is left: ${String(row).slice(0, CHARS_MAX)}`);
      if (found.length === 0 || tries >= TRIES_MAX) return found;
      await pause(TRY_AGAIN_MS);
    }
  } finally {
    await pool.close();
  }
};
