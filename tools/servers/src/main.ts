// npm run test:mesh: starts the servers, runs the mesh specs against them, ends the servers, and says how many passed.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serversConfig } from './config.js';
import { LineProgress } from './progress.js';
import { jestArguments, startRingServers } from './ring.js';
import { type Counts, ringResult } from './ring-result.js';
import { ServerError } from './server-error.js';

const root = process.cwd();

async function main(): Promise<number> {
  const servers = await startRingServers(process.env, { config: serversConfig(), progress: new LineProgress() });
  const scratch = await mkdtemp(join(tmpdir(), 'perdure-test-mesh-'));
  const report = join(scratch, 'report.json');
  try {
    for (const [name, value] of Object.entries(servers.variables)) console.error(`perdure: ${name}=${value}`);
    const jest = spawn(process.execPath, jestArguments(root, report, process.argv.slice(2)), { cwd: root, env: { ...process.env, ...servers.variables }, stdio: ['ignore', 2, 2] });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => jest.kill(signal));
    const [code] = (await once(jest, 'exit')) as [number | null];
    return conclude(report, code);
  } finally {
    await servers.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}

function conclude(report: string, exitCode: number | null): number {
  const { passed, failed } = ringResult(countsIn(report), exitCode);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function countsIn(report: string): Counts | undefined {
  if (!existsSync(report)) return undefined;
  const [passed = 0, failed = 0] = execFileSync(process.execPath, [join(root, 'tools', 'ci', 'count.mjs'), report], { encoding: 'utf8' }).split(' ').map(Number);
  return { passed, failed };
}

process.exitCode = await main().catch((error: unknown) => {
  if (!(error instanceof ServerError)) throw error;
  if (error.tail) console.error(error.tail);
  console.error(`perdure: ${error.message}`);
  console.log('0 passed, 1 failed');
  return 1;
});
