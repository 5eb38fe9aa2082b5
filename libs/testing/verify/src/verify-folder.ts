import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BundleStacks } from '@perdure/embedded';
import type { StackMapper } from '@perdure/history';
import { Sandbox } from '@perdure/sandbox';
import { MetaFile, readShard, type ShardContents } from '@perdure/sqlite';
import { checkEvents } from './check-events.js';
import { checkHistories } from './check-histories.js';
import { checkInputs } from './check-inputs.js';
import { checkPending } from './check-pending.js';
import { checkReplay, checkSnapshot, type ReplayDeps } from './check-replays.js';
import { checkRerun, type BatchSizes } from './check-rerun.js';
import type { Finding } from './finding.js';
import { foldRuns, type FoldedRun } from './folded-run.js';
import { ACTIVATION_MS } from './limits.js';
import { mergeShards } from './merge-shards.js';

export interface VerifyOptions {
  /** Replays the code of each run against its history. Default true. */
  readonly replays?: boolean;
  /** In each replay the realm is snapshotted, thrown away and restored after every step. Default false: it costs some milliseconds a step. */
  readonly snapshotEachStep?: boolean;
  /** Gives the whole log to an empty shard, in batches of these sizes in turn, and compares the stores. Default none: it costs what the runs' code did. */
  readonly rerunInBatchesOf?: BatchSizes;
}

/** What was looked at, and what is wrong. */
export interface Verified {
  readonly findings: readonly Finding[];
  readonly runs: number;
  readonly events: number;
  readonly replays: number;
  readonly snapshots: number;
  readonly tasks: number;
  readonly timers: number;
  readonly waits: number;
}

/**
 * Whether a data folder is sound: every shard's file, in one read transaction each. The server may be stopped, killed or, with one shard, running: several are not read at one moment.
 *
 *     const { findings } = await verifyFolder(data);
 *     expect(describeFindings(findings)).toBe('');
 */
export async function verifyFolder(folder: string, options: VerifyOptions = {}): Promise<Verified> {
  const meta = new MetaFile(join(folder, 'meta.db'));
  const snapshotKey = meta.secret('snapshot-key', () => randomBytes(32));
  const sandbox = await Sandbox.create({ snapshotKey, limits: { activationMs: ACTIVATION_MS } });
  try {
    const deps: VerifyDeps = { sandbox, snapshotKey, stacks: new BundleStacks(meta), code: (tenant, hash) => meta.code(tenant, hash) };
    return await verifyShards(shardFilesOf(folder).map(readShard), deps, options);
  } finally {
    sandbox.dispose();
    meta.close();
  }
}

const shardFilesOf = (folder: string): string[] => {
  const numberOf = (name: string): number => Number(/\d+/.exec(name)?.[0]);
  const files = readdirSync(folder).filter((name) => /^shard-\d+\.db$/.test(name)).sort((a, b) => numberOf(a) - numberOf(b));
  if (files.length === 0) throw new Error(`${folder} holds no shard's file${existsSync(folder) ? '' : ': it is not there'}`);
  return files.map((name) => join(folder, name));
};

export interface VerifyDeps extends ReplayDeps {
  /** As the server has it: what it maps is in history. */
  readonly stacks?: StackMapper;
}

/** The same of shards' contents: all of a folder, for they hold each other's children, signals and waits. */
export async function verifyShards(shards: readonly ShardContents[], deps: VerifyDeps, { replays = true, snapshotEachStep = false, rerunInBatchesOf }: VerifyOptions = {}): Promise<Verified> {
  const contents = mergeShards(shards);
  const folded = foldRuns(contents.transitions);
  const findings = [...checkHistories(contents, folded), ...checkPending(contents, folded), ...checkInputs(contents, folded), ...(await checkEvents(contents, folded)), ...checkSnapshots(contents, { folded, deps })];
  if (replays) {
    for (const run of folded.values()) {
      const finding = checkReplay(run, deps, { eachStep: snapshotEachStep });
      if (finding) findings.push(finding);
    }
  }
  if (rerunInBatchesOf) for (const shard of shards) findings.push(...(await checkRerun(shard, { folded: foldRuns(shard.transitions), deps, sizes: rerunInBatchesOf })));
  const { runs, transitions, snapshots, tasks, timers, waits } = contents;
  const events = transitions.reduce((sum, { events }) => sum + (JSON.parse(events) as unknown[]).length, 0);
  return { findings, runs: runs.length, events, replays: replays ? folded.size : 0, snapshots: snapshots.length, tasks: tasks.length, timers: timers.length, waits: waits.length };
}

function* checkSnapshots({ snapshots }: ShardContents, { folded, deps }: { readonly folded: ReadonlyMap<number, FoldedRun>; readonly deps: ReplayDeps }): Iterable<Finding> {
  for (const row of snapshots) {
    const run = folded.get(row.run);
    const finding = run ? checkSnapshot(row, run, deps) : ({ check: 'snapshot', where: `run number ${row.run}`, what: 'there is a snapshot of a run that is not there' } as const);
    if (finding) yield finding;
  }
}
