import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addGlobalOptions, type Terminal } from './cli.js';
import { addBundleCommands } from './commands/bundles.js';
import { addDevCommand } from './dev/dev.js';
import { addMessageCommands } from './commands/messages.js';
import { addRunCommands } from './commands/runs.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version: string };

/** The whole command line. */
export const createProgram = (terminal: Terminal): Command => {
  const program = addGlobalOptions(new Command('perdure')).description('Durable workflows: start, see and steer them').version(version).showHelpAfterError('(perdure help lists the commands, perdure help COMMAND its options)').exitOverride();
  program.configureOutput({ writeOut: (text) => terminal.out(text.trimEnd()), writeErr: (text) => terminal.err(text.trimEnd()) });
  addDevCommand(program, terminal);
  addRunCommands(program, terminal);
  addMessageCommands(program, terminal);
  addBundleCommands(program, terminal);
  return program;
};
