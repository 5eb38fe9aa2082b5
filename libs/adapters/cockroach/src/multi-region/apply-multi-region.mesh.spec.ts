import { describe, expect, it } from '@jest/globals';
import { SystemClock } from '@perdure/clock';
import { CockroachPool } from '../pool/cockroach-pool.js';
import { openTestDatabase } from '../testing/test-database.js';
import { openWireServer } from '../testing/wire-server.js';
import { applyMultiRegion } from './apply-multi-region.js';
import type { MultiRegion } from './multi-region-statements.js';

const THREE: MultiRegion = { regions: ['eu-west-1', 'us-east-1', 'ap-south-1'], survive: 'region' };
const COCKROACH = 'CockroachDB CCL v25.2.1 (x86_64-pc-linux-gnu, built 2025/06/01, go1.23.7)';

/** Sent to a server that says it is one, so that the statements are noted and parsed like all others. */
const sentBy = async (regions: MultiRegion, version = COCKROACH): Promise<readonly string[]> => {
  const server = await openWireServer((text) => (text.startsWith('select version()') ? { version, name: 'per"dure' } : undefined));
  const pool = new CockroachPool({ connectionString: server.url, clock: new SystemClock(), random: () => 0.5 });
  try {
    await applyMultiRegion(pool, regions);
    return server.received.slice(2);
  } finally {
    await pool.close();
    await server.close();
  }
};

describe('regions', () => {
  it('are refused by a server that has none, in one line, and nothing is changed', async () => {
    const sent: string[] = [];
    const database = await openTestDatabase(process.env['PERDURE_TEST_POSTGRES'], { onStatement: ({ text }) => sent.push(text) });
    try {
      sent.length = 0;
      await expect(applyMultiRegion(database.pool, THREE)).rejects.toMatchObject({ message: expect.stringMatching(/^Regions are CockroachDB's: this server is PostgreSQL \d+\S*, and nothing was changed\.$/) });
      expect(sent.filter((text) => !/^(set|select) /.test(text))).toEqual([]);
    } finally {
      await database.close();
    }
  });

  it('are the database\'s first, then the tables\'', async () => {
    const sent = await sentBy(THREE);
    expect(sent.slice(0, 4)).toEqual([
      'alter database "per""dure" primary region "eu-west-1"',
      'alter database "per""dure" add region if not exists "us-east-1"',
      'alter database "per""dure" add region if not exists "ap-south-1"',
      'alter database "per""dure" survive region failure',
    ]);
    expect(sent.slice(4).every((text) => text.startsWith('alter table '))).toBe(true);
  });

  it('have a row where its slice is at home', async () => {
    const ofRuns = (await sentBy(THREE)).filter((text) => text.startsWith('alter table runs '));
    expect(ofRuns).toEqual([
      "alter table runs add column if not exists region crdb_internal_region as (case mod(split_part(slice, '/', 2)::int, 3) when 0 then 'eu-west-1' when 1 then 'us-east-1' when 2 then 'ap-south-1' end) stored",
      'alter table runs alter column region set not null',
      'alter table runs set locality regional by row as region',
    ]);
  });

  it('survive a zone, if a region is too much to ask', async () => {
    expect(await sentBy({ regions: ['eu-west-1'], survive: 'zone' })).toContain('alter database "per""dure" survive zone failure');
  });
});
