import { CommanderError } from 'commander';
import type { GlobalOptions, Terminal } from './cli.js';
import { exitCodeOf } from './exit-code.js';
import { explain, explainAsJson } from './explain.js';
import { createProgram } from './program.js';

/** Runs one command line, program name left out. Gives the exit code. */
export const run = async (args: readonly string[], terminal: Terminal): Promise<number> => {
  const program = createProgram(terminal);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has said its own.
    if (!(error instanceof CommanderError)) {
      const { json, url } = program.opts<GlobalOptions>();
      terminal.err((json ? explainAsJson : explain)(error, url));
    }
    return exitCodeOf(error);
  }
};
