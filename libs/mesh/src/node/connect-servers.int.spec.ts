import { expect, it } from '@jest/globals';
import { SystemClock } from '@perdure/clock';
import { freePort } from '@perdure/servers';
import { connectPool, prepareTables } from './connect-servers.js';

it('says which server could not be used, without its password', async () => {
  const port = await freePort();
  const config = { postgres: `postgres://u:secret@127.0.0.1:${port}/d`, prefix: 'perdure', counts: { history: 1, scheduler: 1, correlation: 1, compensation: 1 } };
  const pool = connectPool(config, { clock: new SystemClock(), random: () => 0.5 });
  await expect(prepareTables(pool, config)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(`^PostgreSQL at 127.0.0.1:${port} cannot be used now: [^@]*ECONNREFUSED`) });
  await pool.close();
});
