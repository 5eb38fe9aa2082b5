import { spawn } from 'node:child_process';
import { ServerError } from './server-error.js';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
}

/** Output beyond this is dropped from the front: what went wrong stands at the end. */
const OUTPUT_CHARS_MAX = 64 * 1024;
const TAIL_LINES = 30;

/** Runs a program to its end and gives its output, both streams in one. A failure is one line, with the output's end as its tail. */
export function run(command: string, args: readonly string[], { cwd, env, uid, gid }: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...(cwd && { cwd }), env: { ...process.env, ...env }, ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const title = `${command} ${args[0] ?? ''}`.trim();
    child.on('error', (cause) => reject(new ServerError(`${title} could not run: ${cause.message}`, { cause })));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const tail = tailOf(output);
      reject(new ServerError(`${title} ended with ${signal ?? `code ${code}`}: ${lastLine(tail)}`, { tail }));
    });
  });
}

export const tailOf = (text: string, lines = TAIL_LINES): string => text.trimEnd().split('\n').slice(-lines).join('\n');

export const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1)?.trim() || 'it said nothing';
