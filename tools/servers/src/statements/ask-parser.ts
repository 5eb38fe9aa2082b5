import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ServerError } from '../server-error.js';

export interface Verdict {
  readonly ok: boolean;
  readonly error?: string;
}

/** What the parser says of each statement, in order. */
export async function askParser(parser: string, statements: readonly string[]): Promise<readonly Verdict[]> {
  const child = spawn(parser, { stdio: ['pipe', 'pipe', 'inherit'] });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  // It died before it had read all: its end says why.
  child.stdin.on('error', () => undefined);
  child.stdin.end(statements.map((text) => `${JSON.stringify(text)}\n`).join(''));
  const [code] = (await once(child, 'close')) as [number | null];
  const verdicts = Buffer.concat(said).toString().split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Verdict);
  if (code !== 0 || verdicts.length !== statements.length) throw new ServerError(`${parser} ended with ${code} after ${verdicts.length} of ${statements.length} statements`);
  return verdicts;
}
