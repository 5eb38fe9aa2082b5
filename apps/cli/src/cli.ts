import { Client } from '@perdure/sdk/client';
import { Option, type Command } from 'commander';
import { DEFAULT_URL, environment } from './config.js';
import { UsageError } from './usage-error.js';

export interface GlobalOptions {
  readonly url: string;
  readonly tenant?: string;
  readonly apiKey?: string;
  readonly json?: boolean;
}

/** Where a command writes; a test gives its own. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

export interface Session {
  readonly client: Client;
  /** Prints `value` as JSON under `--json`, else what `human` makes of it. */
  readonly print: (value: unknown, human: () => string) => void;
  readonly options: GlobalOptions;
  readonly terminal: Terminal;
}

/** Makes one subcommand's action: opens a client, runs, closes it. */
export const withSession = <Args extends readonly unknown[]>(terminal: Terminal, action: (session: Session, ...args: Args) => Promise<void>) =>
  async (...args: unknown[]): Promise<void> => {
    const command = args.at(-1) as Command;
    const options = command.optsWithGlobals<GlobalOptions>();
    if (!/^https?:/i.test(options.url) || !URL.canParse(options.url)) throw new UsageError(`"${options.url}" is no URL (--url or PERDURE_URL), such as http://localhost:8080`);
    const client = new Client({ url: options.url, retryFor: '5s', ...credentialOf(options) });
    const print = (value: unknown, human: () => string): void => terminal.out(options.json ? JSON.stringify(value, undefined, 2) : human());
    try {
      await action({ client, print, options, terminal }, ...(args.slice(0, -1) as unknown as Args));
    } finally {
      await client.close();
    }
  };

export const credentialOf = ({ tenant, apiKey }: GlobalOptions): { tenant?: string; apiKey?: string } => ({ ...(tenant ? { tenant } : {}), ...(apiKey ? { apiKey } : {}) });

export const addGlobalOptions = (program: Command): Command =>
  program
    .addOption(new Option('--url <url>', 'the server').default(environment.url, `PERDURE_URL, or ${DEFAULT_URL}`))
    .addOption(new Option('--tenant <tenant>', 'checked against the credential').default(environment.tenant, 'PERDURE_TENANT'))
    // Described, so that help does not print it.
    .addOption(new Option('--api-key <key>', 'the credential').default(environment.apiKey, 'PERDURE_API_KEY'))
    .option('--json', 'print JSON, with the names that the API uses; errors as well');
