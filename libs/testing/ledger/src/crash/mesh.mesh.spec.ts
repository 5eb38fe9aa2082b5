import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { explainFindings, runCrashTest, type CrashTestOptions } from './crash-test.js';
import { MeshDeployment } from './mesh-deployment.js';

const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));
const MINUTES = 60_000;

/** Short rounds; `npm run test:crash -- --mesh` makes longer ones. */
describe('the mesh, with two nodes of each service, under attack', () => {
  let folder = '';
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it.each<{ readonly name: string; readonly components: string; readonly env: Readonly<Record<string, string>>; readonly seed: number }>([
    { name: 'as it is used', components: 'local', env: {}, seed: 11 },
    { name: 'with pub/sub and Dapr state on Redis, and no direct calls', components: 'local-redis', env: { PERDURE_BUS_DIRECT: 'off' }, seed: 12 },
    { name: 'without pub/sub', components: 'local', env: { PERDURE_BUS_PUBSUB: 'off' }, seed: 13 },
  ])('loses nothing and does nothing twice: $name', async ({ components, env, seed }) => {
    folder = await mkdtemp(join(tmpdir(), `perdure-mesh-crash-${seed}-`));
    const options: CrashTestOptions = {
      deployment: new MeshDeployment({ root: ROOT, folder, seed, replicas: 2, components: join(ROOT, 'components', components), env, workers: 2, fragileWorkers: 1, surgical: true }),
      folder, seed, programs: 40, atOnce: 16, size: 2, crashPercent: 0,
      chaos: { gapMs: [200, 4_000], holdMs: [100, 9_000], workerKillsMax: 4 },
      disturbMs: MINUTES / 2, settleMs: 3 * MINUTES,
    };
    const report = await runCrashTest(options);
    expect(report.findings.length === 0 ? '' : explainFindings(report, options)).toBe('');
    expect(report.figures['programs']).toBe(40);
  }, 20 * MINUTES);
});
