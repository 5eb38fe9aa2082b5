import { resolve } from 'node:path';
import { watchBundle, type Bundle, type WatchResult } from '@perdure/bundler';
import { isPerdureError, PROBLEMS } from '@perdure/contract';
import { Client } from '@perdure/sdk/client';
import { Option, type Command } from 'commander';
import { assertFile, parsePort } from '../arguments.js';
import { credentialOf, type GlobalOptions, type Terminal } from '../cli.js';
import { DevServer } from './dev-server.js';
import { KeptWorker } from './kept-worker.js';

interface DevFlags extends GlobalOptions {
  readonly activities: readonly string[];
  readonly port: number;
  readonly data: string;
}

/** `dev`: a server, the workflows bundled and deployed at each change, the activities in a worker that restarts at each change. */
export const addDevCommand = (program: Command, terminal: Terminal): void => {
  program
    .command('dev <entry>')
    .description('serve a workflow file; bundle and deploy it again whenever it changes')
    .option('--activities <file...>', 'modules whose exported functions are the activities', [])
    .addOption(new Option('--port <port>', 'port of the server').env('PERDURE_PORT').argParser(parsePort).default(8080))
    .addOption(new Option('--data <folder>', 'data folder').env('PERDURE_DATA').default('.perdure'))
    .action(async (entry: string, _flags: unknown, command: Command) => dev(terminal, entry, command.optsWithGlobals<DevFlags>()));
};

const dev = async (terminal: Terminal, entry: string, flags: DevFlags): Promise<void> => {
  assertFile(entry);
  const files = flags.activities.map((file) => resolve(assertFile(file)));
  const data = resolve(flags.data);
  const server = new DevServer({ port: flags.port, data, print: terminal.out });
  let stopping = false;
  let worker: KeptWorker | undefined;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    // Before the server, which takes its answers.
    await worker?.stop();
    server.stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());
  const cleanUps: (() => unknown)[] = [];
  try {
    const url = await server.listening;
    const client = new Client({ url, retryFor: '30s', ...credentialOf(flags) });
    cleanUps.push(() => client.close());
    const deployments = new Deployments({ client, entry, terminal });
    const watching = await watchBundle(entry, (result) => deployments.take(result));
    cleanUps.push(() => watching.close());
    const isDeployed = await Promise.race([deployments.first.then(() => true), server.ended.then(() => false)]);
    // Only now, so that the worker's first task finds a bundle that names it.
    if (isDeployed && !stopping && files.length > 0) {
      worker = new KeptWorker({ files, url, print: terminal.out, ...credentialOf(flags) });
      cleanUps.push(() => worker?.stop());
    }
    if (isDeployed) terminal.out(`perdure dev: serving ${url} from ${data} (server process ${server.pid})`);
    await server.ended;
  } catch (error) {
    if (!stopping) throw error;
  } finally {
    server.stop();
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  }
  // Nothing is served any more, and nobody asked for that.
  if (!stopping) throw new Error(`the server has ended (${await server.ended}); start again to go on from ${data}`);
};

/** Deploys each bundle that the watcher makes, one after the other. */
class Deployments {
  /** Resolves with the first that succeeds; rejects when the server will have none of this client's. */
  readonly first: Promise<void>;
  readonly #options: { readonly client: Client; readonly entry: string; readonly terminal: Terminal };
  readonly #first = Promise.withResolvers<void>();
  #last: Promise<void> = Promise.resolve();

  constructor(options: { readonly client: Client; readonly entry: string; readonly terminal: Terminal }) {
    this.#options = options;
    this.first = this.#first.promise;
    this.first.catch(() => undefined);
  }

  take(result: WatchResult): void {
    if (result.kind === 'failed') return this.#complain(result.error);
    this.#last = this.#last.then(() => this.#deploy(result.bundle)).then(
      () => this.#first.resolve(),
      (error: Error) => (isOfCredential(error) ? this.#first.reject(error) : this.#complain(error)),
    );
  }

  async #deploy({ code, sourceMap }: Bundle): Promise<void> {
    const { client, entry, terminal } = this.#options;
    const deployed = await client.deploy({ name: entry, code, sourceMap });
    terminal.out(`perdure dev: deployed ${deployed.hash.slice(0, 12)} with ${deployed.workflows.join(', ')}`);
  }

  #complain({ message }: Error): void {
    this.#options.terminal.err(`perdure dev: ${message}`);
  }
}

const isOfCredential = (error: Error): boolean => isPerdureError(error) && [401, 403].includes(PROBLEMS[error.code][0]);
