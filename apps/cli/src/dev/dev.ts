import { fork, type ChildProcess } from 'node:child_process';
import { watch } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { watchBundle, type Bundle } from '@perdure/bundler';
import { Client } from '@perdure/sdk/client';
import type { Command } from 'commander';
import type { GlobalOptions, Terminal } from '../cli.js';
import { inherited } from '../config.js';

interface DevFlags extends GlobalOptions {
  readonly activities: readonly string[];
  readonly port: string;
  readonly data: string;
}

/** `dev`: a server, the workflows bundled and deployed at each change, the activities in a worker that restarts at each change. */
export const addDevCommand = (program: Command, terminal: Terminal): void => {
  program
    .command('dev <entry>')
    .description('serve a workflow file; bundle and deploy it again whenever it changes')
    .option('--activities <file...>', 'modules whose exported functions are the activities', [])
    .option('--port <port>', 'port of the server', '8080')
    .option('--data <folder>', 'data folder', '.perdure')
    .action(async (entry: string, _flags: unknown, command: Command) => dev(terminal, entry, command.optsWithGlobals<DevFlags>()));
};

const dev = async (terminal: Terminal, entry: string, flags: DevFlags): Promise<void> => {
  const url = `http://127.0.0.1:${flags.port}`;
  const children = new Set<ChildProcess>();
  const server = start(fileURLToPath(import.meta.resolve('@perdure/standalone/main')), { PERDURE_PORT: flags.port, PERDURE_DATA: resolve(flags.data), PERDURE_SAMPLES: 'off' });
  children.add(server);
  let worker: { stop(): void } | undefined;
  let stopping = false;
  const client = new Client({ url, retryFor: '30s' });

  const deploy = async (made: Bundle): Promise<void> => {
    const deployed = await client.deploy({ name: entry, code: made.code, sourceMap: made.sourceMap });
    terminal.out(`perdure dev: deployed ${deployed.hash.slice(0, 12)} with ${deployed.workflows.join(', ')}`);
    if (stopping || worker !== undefined) return;
    // Only now, so that the worker finds a server that answers.
    terminal.out(`perdure dev: serving ${url} from ${resolve(flags.data)} (server process ${server.pid})`);
    if (flags.activities.length > 0) worker = keepWorker({ files: flags.activities.map((file) => resolve(file)), url, terminal });
  };
  const watching = await watchBundle(entry, (result) => {
    if (result.kind === 'failed') return terminal.err(`perdure dev: ${result.error.message}`);
    deploy(result.bundle).catch((error: unknown) => terminal.err(`perdure dev: ${error instanceof Error ? error.message : String(error)}`));
  });

  await new Promise<void>((done) => {
    const stop = (): void => {
      stopping = true;
      worker?.stop();
      for (const child of children) child.kill('SIGTERM');
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    server.once('exit', (code, signal) => {
      // Nothing is served any more: the worker must not stay behind alone.
      if (!stopping) {
        terminal.err(`perdure dev: the server has ended (${signal ?? `exit code ${code}`}); start again to go on from ${resolve(flags.data)}`);
        process.exitCode = 1;
      }
      stopping = true;
      worker?.stop();
      done();
    });
  });
  await watching.close();
  await client.close();
};

const start = (module: string, env: Record<string, string>): ChildProcess => fork(module, [], { env: { ...inherited, ...env }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });

interface WorkerOptions {
  readonly files: readonly string[];
  readonly url: string;
  readonly terminal: Terminal;
}

/** Several saves within this time are one change. */
const SETTLE_MS = 100;

const keepWorker = ({ files, url, terminal }: WorkerOptions): { stop(): void } => {
  const run = (): ChildProcess => start(fileURLToPath(new URL('../dev-worker.js', import.meta.url)), { PERDURE_URL: url, PERDURE_ACTIVITIES: JSON.stringify(files) });
  let child = run();
  let pending: NodeJS.Timeout | undefined;
  const restart = (): void => {
    terminal.out('perdure dev: activities changed, restarting the worker');
    const old = child;
    old.once('exit', () => {
      child = run();
    });
    old.kill('SIGTERM');
  };
  const watchers = files.map((file) =>
    watch(file, () => {
      clearTimeout(pending);
      pending = setTimeout(restart, SETTLE_MS);
    }),
  );
  return {
    stop: () => {
      for (const watcher of watchers) watcher.close();
      clearTimeout(pending);
      child.kill('SIGTERM');
    },
  };
};
