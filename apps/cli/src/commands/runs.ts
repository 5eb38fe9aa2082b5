import type { Command } from 'commander';
import { RUN_STATUSES, type HistoryEvent, type RunStatus, type RunView, type Scalar } from '@perdure/contract';
import { collectAttributes, parseJson, withSession, type Session, type Terminal } from '../cli.js';
import { table } from '../show/table.js';
import { at } from '../show/time.js';
import { timeline } from '../show/timeline.js';
import { Option } from 'commander';

interface StartFlags {
  readonly id?: string;
  readonly startId?: string;
  readonly input?: unknown;
  readonly bundle?: string;
  readonly attr?: Readonly<Record<string, Scalar>>;
  readonly timeout?: string;
  readonly wait?: boolean;
}

interface ListFlags {
  readonly status?: RunStatus;
  readonly type?: string;
  readonly id?: string;
  readonly attr?: Readonly<Record<string, Scalar>>;
  readonly limit: string;
}

/** Starting runs and reading them. */
export const addRunCommands = (program: Command, terminal: Terminal): void => {
  program
    .command('start <workflowType>')
    .description('start a workflow; the same id gives the same run')
    .option('--id <workflowId>', 'name of the workflow (default: a new UUID)')
    .option('--start-id <id>', 'tells one start of the id from another')
    .option('--input <json>', "JSON, '@file' or '-' for standard input", parseJson)
    .option('--bundle <hash>', 'run on this bundle')
    .option('--attr <key=value>', 'a search attribute; may be repeated', collectAttributes)
    .option('--timeout <duration>', "fail the run after e.g. '7 days'")
    .option('--wait', 'wait for the result and print it')
    .action(withSession(terminal, start));
  program
    .command('list')
    .description('runs, newest first')
    .addOption(new Option('--status <status>').choices(RUN_STATUSES))
    .option('--type <workflowType>')
    .option('--id <workflowId>')
    .option('--attr <key=value>', 'a search attribute; may be repeated', collectAttributes)
    .option('--limit <n>', 'at most so many', '50')
    .action(withSession(terminal, list));
  program.command('show <workflowId>').description('a run and its history as a timeline').option('--run <runId>').action(withSession(terminal, show));
  program.command('result <workflowId>').description('wait for the result and print it').option('--run <runId>').action(withSession(terminal, result));
};

const start = async (session: Session, workflowType: string, flags: StartFlags): Promise<void> => {
  const run = await session.client.start(workflowType, {
    ...(flags.id ? { workflowId: flags.id } : {}),
    ...(flags.startId ? { id: flags.startId } : {}),
    ...(flags.bundle ? { bundle: flags.bundle } : {}),
    ...(flags.attr ? { searchAttributes: flags.attr } : {}),
    ...(flags.timeout ? { runTimeout: flags.timeout as '7 days' } : {}),
    input: flags.input as never,
  });
  if (flags.wait) return printResult(session, await session.client.run(run.workflowId).result());
  session.print({ workflowId: run.workflowId, runId: run.runId }, () => `started ${workflowType} "${run.workflowId}", run ${run.runId}`);
};

const list = async (session: Session, flags: ListFlags): Promise<void> => {
  const runs: RunView[] = [];
  const filter = { ...(flags.status ? { status: flags.status } : {}), ...(flags.type ? { workflowType: flags.type } : {}), ...(flags.id ? { workflowId: flags.id } : {}), ...(flags.attr ? { attributes: flags.attr } : {}) };
  for await (const run of session.client.list(filter)) {
    runs.push(run);
    if (runs.length >= Number(flags.limit)) break;
  }
  session.print(runs, () =>
    runs.length === 0 ? 'no runs' : table(['WORKFLOW ID', 'TYPE', 'STATUS', 'STARTED', 'EVENTS', 'RUN'], runs.map((run) => [run.workflowId, run.workflowType, run.status, at(run.startedAt), String(run.events), run.runId])),
  );
};

const show = async ({ client, print }: Session, workflowId: string, flags: { readonly run?: string }): Promise<void> => {
  const handle = client.run(workflowId, flags.run);
  const run = await handle.describe();
  const events: HistoryEvent[] = [];
  for await (const event of client.run(workflowId, run.runId).history()) events.push(event);
  print({ run, events }, () => timeline(run, events));
};

const result = async (session: Session, workflowId: string, flags: { readonly run?: string }): Promise<void> => printResult(session, await session.client.run(workflowId, flags.run).result());

const printResult = ({ print }: Session, value: unknown): void => print(value ?? null, () => (value === undefined ? 'completed without a value' : JSON.stringify(value, undefined, 2)));
