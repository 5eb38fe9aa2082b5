import type { EventBody } from '@perdure/contract';
import type { RunRow, StoredTransition } from '@perdure/history';
import type { Ack } from './client.js';
import type { Program } from './program.js';

/** A run, with all that was recorded of it. */
export interface RunHistory {
  readonly row: RunRow;
  readonly transitions: readonly StoredTransition[];
  readonly events: readonly EventBody[];
}

/** Something that should be gone when everything has come to its end. */
export interface Leftover {
  readonly invariant: string;
  readonly what: string;
}

/** What the durable state of a shape shows. */
export interface Evidence {
  runs(): Promise<readonly RunHistory[]>;
  leftovers(): Promise<readonly Leftover[]>;
  /** There are none: asked often, and cheaper than to name them. */
  isAtRest(): Promise<boolean>;
  /** External events in any state, `tenant/id`. */
  eventIds(): Promise<ReadonlySet<string>>;
  /** Runs of which a snapshot was damaged. */
  readonly damaged: ReadonlySet<string>;
}

/** What the world outside of the server saw. */
export interface Testimony {
  readonly programs: readonly Program[];
  readonly acks: readonly Ack[];
  readonly published: ReadonlySet<string>;
  /** When each task was last handed out, kernel's time; `undefined` where clocks differ. */
  readonly handedOutMs: ReadonlyMap<string, number> | undefined;
  /** Idempotency keys of activities and undos that a worker carried out. */
  readonly done: ReadonlySet<string>;
}

export const toRunHistory = (row: RunRow, transitions: readonly StoredTransition[]): RunHistory => ({ row, transitions, events: transitions.flatMap(({ events }) => events) });

