import { PerdureError, type Effect, type Outcome, type RunKey } from '@perdure/contract';

export const SERVICES = ['history', 'scheduler', 'correlation', 'compensation'] as const;
/** Those that own slices; ingestion owns none. */
export type Service = (typeof SERVICES)[number];

/** A slice: what one owner commits. A slice of history is a shard. */
export type SliceName = `${Service}/${number}`;

export const serviceOf = (slice: SliceName): Service => slice.slice(0, slice.indexOf('/')) as Service;

/** Its number among the slices of its service: 0, 1, 2… */
export const sliceIndexOf = (slice: SliceName): number => Number(slice.slice(slice.indexOf('/') + 1));

/** The scheduler tells compensation how an undo task closed. */
export interface UndoClosedMessage {
  readonly to: 'compensation';
  readonly kind: 'undoClosed';
  readonly run: RunKey;
  readonly undoSeq: number;
  readonly outcome: Outcome;
  readonly attempts: number;
  readonly at: number;
}

/** What one slice sends another. */
export type MessageBody = Effect | UndoClosedMessage;

/** What is said to a shard goes into its log. */
export const hasLogOfInputs = (slice: SliceName): boolean => serviceOf(slice) === 'history';

export const toLogBody = (body: MessageBody): { readonly kind: 'input'; readonly input: Extract<MessageBody, { to: 'history' }>['input'] } => {
  if (body.to !== 'history') throw new PerdureError('internal', `A message to ${body.to} is no input.`);
  return { kind: 'input', input: body.input };
};

/** Where a message came from (I4). `mark`: the smallest number that its sender has not had confirmed. */
export interface Origin {
  readonly source: SliceName;
  readonly number: number;
  readonly mark: number;
}

export interface Message {
  /** Rising per (source, destination). */
  readonly number: number;
  readonly body: MessageBody;
}

/** Messages of one source for one destination, as they travel: lost, repeated and reordered at will. */
export interface Envelope {
  readonly source: SliceName;
  readonly destination: SliceName;
  readonly mark: number;
  readonly messages: readonly Message[];
  /** All of them were sent before, by this owner, and not confirmed in time. It is so every second time: a bus with two ways takes the other. */
  readonly isDetour?: boolean;
}

/** What the receiver has committed. It may be lost; the message then comes again. */
export interface Confirmation {
  readonly source: SliceName;
  readonly destination: SliceName;
  readonly numbers: readonly number[];
}
