import { readFileSync } from 'node:fs';
import { Client } from '@perdure/sdk/client';
import { Command, InvalidArgumentError } from 'commander';
import { environment } from './config.js';

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
    const client = new Client({ url: options.url, retryFor: '5s', ...(options.tenant ? { tenant: options.tenant } : {}), ...(options.apiKey ? { apiKey: options.apiKey } : {}) });
    const print = (value: unknown, human: () => string): void => terminal.out(options.json ? JSON.stringify(value, undefined, 2) : human());
    try {
      await action({ client, print, options, terminal }, ...(args.slice(0, -1) as unknown as Args));
    } finally {
      await client.close();
    }
  };

export const addGlobalOptions = (program: Command): Command =>
  program
    .option('--url <url>', 'the server', environment.url)
    .option('--tenant <tenant>', 'checked against the credential', environment.tenant)
    .option('--api-key <key>', 'the credential (better: PERDURE_API_KEY)', environment.apiKey)
    .option('--json', "print the API's own answer");

/** `'{"a":1}'`, `@file.json`, or `-` for standard input. */
export const parseJson = (text: string): unknown => {
  const source = text === '-' ? readFileSync(0, 'utf8') : text.startsWith('@') ? readFileSync(text.slice(1), 'utf8') : text;
  try {
    return JSON.parse(source) as unknown;
  } catch (error) {
    throw new InvalidArgumentError(`not JSON: ${(error as Error).message} (a string needs its own quotes: '"text"')`);
  }
};

/** `key=value`, repeated; numbers and booleans are taken as such. */
export const collectAttributes = (text: string, sofar: Record<string, string | number | boolean> = {}): Record<string, string | number | boolean> => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('write key=value');
  const value = text.slice(at + 1);
  return { ...sofar, [text.slice(0, at)]: value === 'true' ? true : value === 'false' ? false : value !== '' && Number.isFinite(Number(value)) ? Number(value) : value };
};
