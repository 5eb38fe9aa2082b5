// npm run test:mesh: starts the servers, runs the mesh specs against them, has CockroachDB's parser read the SQL that they sent, ends the servers, and says how many passed.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serversConfig } from './config.js';
import { LineProgress } from './progress.js';
import { jestArguments, PARSER, startRingServers, STATEMENTS } from './ring.js';
import { type Counts, ringResult } from './ring-result.js';
import { ServerError } from './server-error.js';
import { checkStatements } from './statements/check-statements.js';

const root = process.cwd();

async function main(): Promise<number> {
  const servers = await startRingServers(process.env, { config: serversConfig(), progress: new LineProgress() });
  const scratch = await mkdtemp(join(tmpdir(), 'perdure-test-mesh-'));
  const report = join(scratch, 'report.json');
  const statements = process.env[STATEMENTS] || join(scratch, 'statements');
  try {
    for (const [name, value] of Object.entries(servers.variables)) console.error(`perdure: ${name}=${value}`);
    const jest = spawn(process.execPath, jestArguments(root, report, process.argv.slice(2)), { cwd: root, env: { ...process.env, ...servers.variables, [STATEMENTS]: statements }, stdio: ['ignore', 2, 2] });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => jest.kill(signal));
    const [code] = (await once(jest, 'exit')) as [number | null];
    return conclude(report, { code, refused: await refusedStatements(statements, servers.variables[PARSER]!) });
  } finally {
    await servers.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** How many of the statements that the specs sent CockroachDB would not take. Specs chosen by name may have sent none. */
async function refusedStatements(file: string, parser: string): Promise<number> {
  if (process.argv.length > 2 && !existsSync(file)) {
    console.error('perdure: no statement was sent, none is checked');
    return 0;
  }
  const { count, problems } = await checkStatements({ file, parser });
  for (const problem of problems) console.error(`perdure: ${problem}`);
  console.error(`perdure: CockroachDB's parser was asked about ${count} statements`);
  return problems.length;
}

function conclude(report: string, { code, refused }: { readonly code: number | null; readonly refused: number }): number {
  const result = ringResult(countsIn(report), code);
  const [passed, failed] = [result.passed, result.failed + refused];
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
