import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { explainFindings, runCrashTest, StandaloneDeployment, type CrashTestOptions } from '@perdure/ledger';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

describe('random programs on a server that is killed', () => {
  /** The short form of `npm run test:crash`, which has more of everything. */
  it('end as the model says, with each effect once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'perdure-crash-'));
    const seed = 1;
    const options: CrashTestOptions = {
      deployment: new StandaloneDeployment({ main: MAIN, folder, seed, shards: 2, workers: 1, fragileWorkers: 1, surgical: true }),
      folder,
      seed,
      programs: 150,
      atOnce: 40,
      size: 3,
      crashPercent: 1,
      chaos: { gapMs: [200, 1_800], holdMs: [100, 1_000], workerKillsMax: 1 },
      disturbMs: 12_000,
      settleMs: 90_000,
    };
    const report = await runCrashTest(options);
    if (report.findings.length > 0) throw new Error(explainFindings(report, options));
    expect(report.figures['kill server']).toBeGreaterThan(0);
    expect(report.figures.programs).toBe(150);
    rmSync(folder, { recursive: true });
  }, 300_000);
});
