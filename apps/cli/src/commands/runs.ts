import { Option, type Command } from 'commander';
import { RUN_STATUSES, type HistoryEvent, type RunStatus, type RunView, type Scalar } from '@perdure/contract';
import { collectAttributes, findBundle, parseCount, parseJson } from '../arguments.js';
import { withSession, type Session, type Terminal } from '../cli.js';
import { resultOf } from './result-of.js';
import { openTasks } from '../show/open-tasks.js';
import { table } from '../show/table.js';
import { at } from '../show/time.js';
import { timeline } from '../show/timeline.js';

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
  readonly limit: number;
}

/** Starting runs and reading them. */
export const addRunCommands = (program: Command, terminal: Terminal): void => {
  program
    .command('start <workflowType>')
    .description('start a workflow; the same id gives the same run')
    .option('--id <workflowId>', 'name of the workflow (default: a new UUID)')
    .option('--start-id <id>', 'tells one start of the id from another')
    .option('--input <json>', "JSON, '@file' or '-' for standard input", parseJson)
    .option('--bundle <hash>', 'run on this bundle (the beginning of its hash will do)')
    .option('--attr <key=value>', 'a search attribute; may be repeated', collectAttributes)
    .option('--timeout <duration>', "fail the run after e.g. '7 days'")
    .option('--wait', 'wait for the result and print it')
    .action(withSession(terminal, start));
  program
    .command('list')
    .description('runs, newest first')
    .addOption(new Option('--status <status>', 'only these').choices(RUN_STATUSES))
    .option('--type <workflowType>', 'only of this workflow')
    .option('--id <workflowId>', 'all runs of this workflow id')
    .option('--attr <key=value>', 'only with this search attribute; may be repeated', collectAttributes)
    .option('--limit <n>', 'at most so many', parseCount, 50)
    .action(withSession(terminal, list));
  program.command('show <workflowId>').description('a run and its history as a timeline').option('--run <runId>', 'this run of the workflow id (default: its newest)').action(withSession(terminal, show));
  program.command('result <workflowId>').description('wait for the result and print it').option('--run <runId>', 'this run of the workflow id (default: its newest)').action(withSession(terminal, result));
};

const start = async (session: Session, workflowType: string, flags: StartFlags): Promise<void> => {
  const run = await session.client.start(workflowType, {
    ...(flags.id ? { workflowId: flags.id } : {}),
    ...(flags.startId ? { id: flags.startId } : {}),
    ...(flags.bundle ? { bundle: await findBundle(session.client, flags.bundle) } : {}),
    ...(flags.attr ? { searchAttributes: flags.attr } : {}),
    ...(flags.timeout ? { runTimeout: flags.timeout as '7 days' } : {}),
    input: flags.input as never,
  });
  if (flags.wait) return printResult(session, await resultOf(session, run.workflowId));
  const { workflowId, runId, created } = run;
  session.print({ workflowId, runId, created }, () => (created === false ? `${workflowType} "${workflowId}" was started already, run ${runId}` : `started ${workflowType} "${workflowId}", run ${runId}`));
};

const list = async (session: Session, flags: ListFlags): Promise<void> => {
  const runs: RunView[] = [];
  const filter = { ...(flags.status ? { status: flags.status } : {}), ...(flags.type ? { workflowType: flags.type } : {}), ...(flags.id ? { workflowId: flags.id } : {}), ...(flags.attr ? { attributes: flags.attr } : {}) };
  let more = false;
  for await (const run of session.client.list(filter)) {
    more = runs.length === flags.limit;
    if (more) break;
    runs.push(run);
  }
  session.print(runs, () => (runs.length === 0 ? 'no runs' : `${runTable(runs, flags.id !== undefined)}${more ? `\n(the newest ${runs.length}; --limit shows more)` : ''}`));
};

/** A run's own id is worth its place only where several runs share a workflow id. */
const runTable = (runs: readonly RunView[], withRunIds: boolean): string =>
  table(['WORKFLOW ID', 'WORKFLOW', 'STATUS', 'STARTED', 'EVENTS', ...(withRunIds ? ['RUN'] : [])], runs.map((run) => [run.workflowId, run.workflowType, run.status, at(run.startedAt), String(run.events), ...(withRunIds ? [run.runId] : [])]));

const show = async ({ client, print }: Session, workflowId: string, flags: { readonly run?: string }): Promise<void> => {
  const handle = client.run(workflowId, flags.run);
  const run = await handle.describe();
  const shown = client.run(workflowId, run.runId);
  const events: HistoryEvent[] = [];
  for await (const event of shown.history()) events.push(event);
  const tasks = run.closedAt === undefined ? await shown.openTasks() : [];
  print({ run, events, tasks }, () => `${timeline(run, events)}${openTasks(tasks)}`);
};

const result = async (session: Session, workflowId: string, flags: { readonly run?: string }): Promise<void> => printResult(session, await resultOf(session, workflowId, flags.run));

const printResult = ({ print }: Session, value: unknown): void => print(value ?? null, () => (value === undefined ? 'completed without a value' : JSON.stringify(value, undefined, 2)));
