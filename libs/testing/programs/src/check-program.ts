import { isDeepStrictEqual } from 'node:util';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, type Bundle } from '@perdure/bundler';
import type { Transition } from '@perdure/contract';
import { Sandbox } from '@perdure/sandbox';
import type { ShardContents } from '@perdure/sqlite';
import { describeFindings, foldRuns, verifyShards, type FoldedRun, type VerifyDeps, type VerifyOptions } from '@perdure/verify';
import fc from 'fast-check';
import { checkRestored } from './check-restored.js';
import { INTERPRETER } from './interpreter.js';
import { Play, type Outcome, type Variant } from './play.js';
import { randomProgram, type RandomProgram } from './random-program.js';
import type { Restorer } from './restorer.js';

export interface ProgramDeps {
  readonly made: Bundle;
  readonly restorer: Restorer;
  readonly snapshotKey: Uint8Array;
  /** For the files of the variants that are opened anew; memory is best. */
  readonly folder: string;
  /** `false`: a smaller program that fails too is not looked for, which may take two minutes. */
  readonly shrink?: false;
}

/** What was done to one program, so that a proof of nothing shows. */
export interface ProgramCounts {
  readonly events: ReadonlyMap<string, number>;
  readonly transitions: number;
  readonly stepsRestored: number;
  readonly snapshots: number;
  readonly queries: number;
}

export const newBundle = (): Promise<Bundle> => bundle({ source: INTERPRETER, resolveDir: import.meta.dirname });

/** A program that does not hold: its number, and the smallest like it that does not either. */
export class ProgramFailure extends Error {
  override readonly name = 'ProgramFailure';
}

const SHRINK_MS = 120_000;
const ACTIVATION_MS = 10_000;

/**
 * One program, the same for the same number, in all ways that must lead to the same (I5, I6, I7).
 *
 * @throws ProgramFailure with the number and the shrunk program
 */
export const checkProgram = async (number: number, deps: ProgramDeps): Promise<ProgramCounts> => {
  let counts: ProgramCounts | undefined;
  const property = fc.asyncProperty(randomProgram, async (program) => {
    counts = await checkOne(program, deps);
  });
  const { failed, counterexample, errorInstance } = await fc.check(property, { seed: number, numRuns: 1, unbiased: true, interruptAfterTimeLimit: SHRINK_MS, endOnFailure: deps.shrink === false });
  if (!failed && counts) return counts;
  throw new ProgramFailure(`program ${number} does not hold; the smallest found:\n${JSON.stringify(counterexample?.[0])}\n${errorInstance instanceof Error ? errorInstance.stack : String(errorInstance)}`, { cause: errorInstance });
};

const checkOne = async (program: RandomProgram, deps: ProgramDeps): Promise<ProgramCounts> => {
  const { made, snapshotKey } = deps;
  const folder = mkdtempSync(join(deps.folder, 'perdure-program-'));
  const sandbox = await Sandbox.create({ limits: { activationMs: ACTIVATION_MS }, snapshotKey });
  const verifying: VerifyDeps = { sandbox, snapshotKey, code: (_, hash) => (hash === made.hash ? made : undefined) };
  const verify = async (contents: ShardContents, options: VerifyOptions): Promise<void> => {
    const { findings } = await verifyShards([contents], verifying, options);
    if (findings.length > 0) throw new Error(`the shard is not sound:\n${describeFindings(findings)}`);
  };
  const play = (variant: Variant): Promise<Outcome> => new Play(variant, { made, sandbox, snapshotKey, folder }, (contents) => (variant === 'live' || variant === 'together' ? verify(contents(), { replays: false }) : Promise.resolve())).run(program);
  try {
    const live = await play('live');
    await verify(live.contents, { snapshotEachStep: true, rerunInBatchesOf: [1_000_000] });
    const together = await play('together');
    await verify(together.contents, { rerunInBatchesOf: [1] });
    const restored = await play('restored');
    const replayed = await play('replayed');
    same('restored from snapshots', restored, live);
    same('replayed', replayed, live);
    if (replayed.snapshots > 0) throw new Error('the replayed variant had snapshots');
    const runs = [...foldRuns(live.contents.transitions).values()];
    let stepsRestored = 0;
    for (const run of runs) stepsRestored += await checkRestored(run, { sandbox, restorer: deps.restorer });
    return { ...countsOf(runs), stepsRestored, snapshots: restored.snapshots, queries: live.queries + restored.queries };
  } finally {
    sandbox.dispose();
    rmSync(folder, { recursive: true });
  }
};

/** Equal durable state, and the same was told to everyone; where not, the first difference. */
const same = (how: string, one: Outcome, live: Outcome): void => {
  if (!isDeepStrictEqual(one.answers, live.answers)) throw new Error(`${how}, other answers were given:\n  ${JSON.stringify(one.answers)}\nlive:\n  ${JSON.stringify(live.answers)}`);
  const [ours, theirs] = [stepsOf(one), stepsOf(live)];
  for (const [where, steps] of theirs) {
    const mine = ours.get(where) ?? [];
    const at = steps.findIndex((step, index) => !isDeepStrictEqual(step, mine[index]));
    if (at >= 0 || mine.length > steps.length) throw new Error(`${how}, ${where} parts at step ${at + 1}:\n  ${JSON.stringify(mine[at])}\nlive:\n  ${JSON.stringify(steps[at])}`);
  }
  if (ours.size !== theirs.size) throw new Error(`${how}, there are ${ours.size} runs, live ${theirs.size}`);
  if (!isDeepStrictEqual(one.contents.audit, live.contents.audit)) throw new Error(`${how}, the audit log differs`);
  if (!isDeepStrictEqual(one.contents.inputs, live.contents.inputs)) throw new Error(`${how}, other outcomes are kept under the inputs' ids`);
};

const stepsOf = ({ contents }: Outcome): Map<string, readonly Transition[]> => new Map([...foldRuns(contents.transitions).values()].map(({ state, transitions }) => [`${state.run.workflowId}/${state.run.runId}`, transitions]));

const countsOf = (runs: readonly FoldedRun[]): Pick<ProgramCounts, 'events' | 'transitions'> => {
  const events = new Map<string, number>();
  let transitions = 0;
  for (const run of runs) {
    transitions += run.transitions.length;
    for (const { kind } of run.transitions.flatMap((each) => each.events)) events.set(kind, (events.get(kind) ?? 0) + 1);
  }
  return { events, transitions };
};
