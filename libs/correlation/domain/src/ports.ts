import type { ExternalEvent, RunKey, WaitSpec } from '@perdure/contract';
import type { CorrelationChange, EventHead, EventIdentity, WaitRow } from './rows.js';

/** The waits of one slice. */
export abstract class WaitStore {
  /** Every wait, in rising `order`. */
  abstract load(): Promise<Iterable<WaitRow>>;
}

/** The events of one slice. */
export abstract class EventArchive {
  /** Heads of all events that are buffered or offered, in order of arrival. */
  abstract load(): Promise<Iterable<EventHead & { readonly offered: boolean }>>;
  /** The highest `arrival` given out. */
  abstract lastArrival(): Promise<number>;
  abstract find(arrival: number): Promise<ExternalEvent | undefined>;
  /** Whether the event came before, in any state. */
  abstract isKnown(identity: EventIdentity): Promise<boolean>;
}

/** Writes both, all or nothing. */
export abstract class CorrelationStore {
  abstract readonly waits: WaitStore;
  abstract readonly events: EventArchive;
  abstract commit(changes: readonly CorrelationChange[]): Promise<void>;
}

export interface WaitView {
  readonly run: RunKey;
  readonly seq: number;
  readonly wait: WaitSpec;
  readonly openedAt: number;
}

/** Open waits, for whoever wants to see what a run waits for. */
export abstract class WaitReader {
  abstract ofWorkflow(tenant: string, workflowId: string): Promise<readonly WaitView[]>;
}
