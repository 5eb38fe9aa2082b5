import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { explainFindings, runCrashTest, type CrashTestOptions } from './crash-test.js';
import { MeshDeployment } from './mesh-deployment.js';

const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));
const MINUTES = 60_000;

const SEED = 11;

/** A short round; `npm run test:crash -- --mesh` makes longer ones, with either way of the bus alone, and on Redis. */
describe('the mesh, with two nodes of each service, under attack', () => {
  let folder = '';
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('loses nothing and does nothing twice', async () => {
    folder = await mkdtemp(join(tmpdir(), `perdure-mesh-crash-${SEED}-`));
    const options: CrashTestOptions = {
      deployment: new MeshDeployment({ root: ROOT, folder, seed: SEED, replicas: 2, components: join(ROOT, 'components', 'local'), workers: 2, fragileWorkers: 1, surgical: true }),
      folder, seed: SEED, programs: 40, atOnce: 16, size: 2, crashPercent: 0,
      chaos: { gapMs: [200, 4_000], holdMs: [100, 9_000], workerKillsMax: 4 },
      disturbMs: MINUTES / 2, settleMs: 5 * MINUTES,
    };
    const report = await runCrashTest(options);
    expect(report.findings.length === 0 ? '' : explainFindings(report, options)).toBe('');
    expect(report.figures['programs']).toBe(40);
  }, 20 * MINUTES);
});
