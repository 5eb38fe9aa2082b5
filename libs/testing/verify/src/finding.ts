import type { RunKey } from '@perdure/contract';

/**
 * - `history`: numbered without a gap, its digest right, its times rising, one transition an input
 * - `run`: the run's row and search attributes are the fold of its history
 * - `replay`: the pinned code asks again for what history says, also when it is restored from a snapshot after each step
 * - `rerun`: the log, given to an empty shard, leads to the same store
 * - `snapshot`: the stored image is of this run, this moment, this code, and goes on as history does
 * - `pending`: tasks, timers, waits, rollbacks and children are those that the runs await, no more and no fewer
 * - `input`: what was answered under an input's id is what history says
 * - `event`: an external event was taken by one run, or is there for one
 */
export type Check = 'history' | 'run' | 'replay' | 'rerun' | 'snapshot' | 'pending' | 'input' | 'event';

export interface Finding {
  readonly check: Check;
  /** What it is about: a run, mostly. */
  readonly where: string;
  readonly what: string;
}

export const nameOf = ({ tenant, workflowId, runId }: RunKey): string => `${tenant}/${workflowId}/${runId}`;

const SHOWN_MAX = 50;

/** For a test's message. */
export const describeFindings = (findings: readonly Finding[]): string => {
  const lines = findings.slice(0, SHOWN_MAX).map(({ check, where, what }) => `${check}  ${where}: ${what}`);
  return [...lines, ...(findings.length > SHOWN_MAX ? [`… and ${findings.length - SHOWN_MAX} more`] : [])].join('\n');
};

const CHARS_MAX = 600;

/** A value for people. */
export const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX)}… (${text.length} characters)` : text;
};
