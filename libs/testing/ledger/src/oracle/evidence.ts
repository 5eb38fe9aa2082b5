import type { RunView } from '@perdure/contract';
import type { LedgerLine } from '../book/ledger-record.js';
import type { RunHistory } from '../model/observed.js';
import type { LogEntry, Program } from '../program/program.js';

/** A line of the client's own file: the server has answered for good. */
export type Acknowledgement =
  /** Its start is about to be sent for the first time. */
  | { readonly kind: 'starting'; readonly program: string }
  | { readonly kind: 'started'; readonly program: string; readonly runId: string }
  | { readonly kind: 'signal' | Operation; readonly program: string; readonly id: string; readonly refused?: string }
  | { readonly kind: 'event'; readonly program: string; readonly id: string; readonly status: 'accepted' | 'duplicate' }
  | { readonly kind: 'update'; readonly program: string; readonly id: string; readonly answer?: number; readonly refused?: string };

/** What is asked of a run as such. */
export type Operation = 'cancel' | 'terminate' | 'suspend' | 'resume';

export interface Run extends RunHistory {
  readonly view: RunView;
}

/** What a query showed, when: answers of one program in the order in which they came. */
export interface Shown {
  readonly program: string;
  readonly log: readonly LogEntry[];
}

/** How a program ended, as its client was told. */
export interface Answered {
  readonly program: string;
  readonly end: { readonly status: 'completed'; readonly log: readonly LogEntry[] } | { readonly status: 'failed'; readonly message: string } | { readonly status: 'cancelled' | 'terminated' };
}

/** All that is known when everything has ended; the oracles need nothing else. */
export interface Evidence {
  readonly programs: readonly Program[];
  /** By workflow id, the oldest run first. */
  readonly runs: ReadonlyMap<string, readonly Run[]>;
  readonly ledger: readonly LedgerLine[];
  readonly acknowledgements: readonly Acknowledgement[];
  readonly shown: readonly Shown[];
  readonly answered: readonly Answered[];
  /** What a run has with the scheduler goes in the transaction that ends it; elsewhere word of the end is on its way for a while. */
  readonly dropsAtOnce: boolean;
  /** Ids of events that were acknowledged, and that the server took for new when they were sent again at the end. */
  readonly forgotten: readonly string[];
  /** Rows of pending tasks, timers, waits, rollbacks, inputs: each one sentence. */
  readonly leftovers: readonly string[];
}

export type Oracle = 'inputs' | 'results' | 'effects' | 'attempts' | 'histories' | 'progress';

export interface Finding {
  readonly oracle: Oracle;
  readonly what: string;
}
