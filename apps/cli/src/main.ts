#!/usr/bin/env node
import { isPerdureError } from '@perdure/contract';
import { CommanderError } from 'commander';
import { exitCodeOf, isNetworkError } from './exit-code.js';
import { createProgram } from './program.js';

const terminal = { out: (text: string) => console.log(text), err: (text: string) => console.error(text) };

const explain = (error: unknown, url: string): string => {
  if (isNetworkError(error)) return `perdure: no server answers at ${url} (${error.message || error.name}); start one with "npm start"`;
  if (isPerdureError(error)) return `perdure: ${error.message} [${error.code}]`;
  return `perdure: ${error instanceof Error ? error.message : String(error)}`;
};

const program = createProgram(terminal);
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    const { json, url } = program.opts<{ json?: boolean; url: string }>();
    if (json && isPerdureError(error)) terminal.err(JSON.stringify({ code: error.code, detail: error.message, errors: error.errors }, undefined, 2));
    else terminal.err(explain(error, url));
    process.exitCode = exitCodeOf(error);
  }
}
