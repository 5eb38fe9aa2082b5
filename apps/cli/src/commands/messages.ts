import type { Command } from 'commander';
import { findBundle, parseJson } from '../arguments.js';
import { withSession, type Session, type Terminal } from '../cli.js';

interface MessageFlags {
  readonly input?: unknown;
  readonly run?: string;
  readonly messageId?: string;
}

interface OperatorFlags {
  readonly run?: string;
  readonly reason?: string;
  readonly compensate?: boolean;
  readonly bundle?: string;
  readonly fail?: boolean;
}

const INPUT = ['--input <json>', "JSON, '@file' or '-' for standard input"] as const;

/** What is sent to a run. */
export const addMessageCommands = (program: Command, terminal: Terminal): void => {
  const message = (name: string, description: string): Command => program.command(`${name} <workflowId> <name>`).description(description).option(...INPUT, parseJson).option('--run <runId>', 'this run of the workflow id (default: its newest)');
  message('signal', 'send a signal').option('--message-id <id>', 'the same id is the same message').action(withSession(terminal, signal));
  message('query', "ask the workflow's query handler").action(withSession(terminal, query));
  message('update', "run the workflow's update handler and print what it returns").option('--message-id <id>', 'the same id is the same message').action(withSession(terminal, update));

  const operator = (name: 'cancel' | 'terminate' | 'suspend' | 'resume', description: string): Command =>
    program.command(`${name} <workflowId>`).description(description).option('--run <runId>', 'this run of the workflow id (default: its newest)').option('--reason <text>').action(withSession(terminal, (session, workflowId: string, flags: OperatorFlags) => operate(session, workflowId, { ...flags, name })));
  operator('cancel', 'ask the run to stop; its code decides how');
  operator('terminate', 'end the run without asking its code').option('--compensate', 'carry out the undo steps it has registered');
  operator('suspend', 'hold the run');
  operator('resume', 'let a suspended run go on').option('--bundle <hash>', 'on this bundle (the beginning of its hash will do), if its history replays there').option('--fail', 'end it as failed instead');
};

/** What commander gives: the arguments, then the flags. */
type Addressed = readonly [workflowId: string, name: string, flags: MessageFlags];

const idOf = ({ messageId }: MessageFlags): { id?: string } => (messageId ? { id: messageId } : {});

const signal = async ({ client, print }: Session, ...[workflowId, name, flags]: Addressed): Promise<void> => {
  await client.run(workflowId, flags.run).signal(name, flags.input, idOf(flags));
  print({ workflowId, signal: name, status: 'accepted' }, () => `sent ${name} to "${workflowId}"`);
};

const query = async ({ client, print }: Session, ...[workflowId, name, flags]: Addressed): Promise<void> => {
  const answer = await client.run(workflowId, flags.run).query(name, flags.input);
  print(answer ?? null, () => JSON.stringify(answer ?? null, undefined, 2));
};

const update = async ({ client, print }: Session, ...[workflowId, name, flags]: Addressed): Promise<void> => {
  const answer = await client.run(workflowId, flags.run).update(name, flags.input, idOf(flags));
  print(answer ?? null, () => JSON.stringify(answer ?? null, undefined, 2));
};

const operate = async ({ client, print }: Session, workflowId: string, flags: OperatorFlags & { readonly name: 'cancel' | 'terminate' | 'suspend' | 'resume' }): Promise<void> => {
  const { name, run, bundle, ...options } = flags;
  await client.run(workflowId, run)[name]({ ...options, ...(bundle ? { bundle: await findBundle(client, bundle) } : {}) });
  print({ workflowId, operation: name, status: 'accepted' }, () => (flags.fail ? `ended "${workflowId}" as failed` : DONE[name](`"${workflowId}"`)));
};

const DONE = {
  cancel: (run: string) => `asked ${run} to stop`,
  terminate: (run: string) => `terminated ${run}`,
  suspend: (run: string) => `suspended ${run}`,
  resume: (run: string) => `resumed ${run}`,
} as const;
