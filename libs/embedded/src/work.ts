import type { ExternalEvent, Input, InputOutcome, PerdureError } from '@perdure/contract';
import type { Envelope } from '@perdure/delivery';

export interface InputWork {
  readonly kind: 'input';
  readonly input: Input;
  readonly resolve: (outcome: InputOutcome) => void;
  readonly reject: (error: Error) => void;
}

export interface EventsWork {
  readonly kind: 'events';
  readonly events: readonly ExternalEvent[];
  receipts?: ('accepted' | 'duplicate')[];
  refusal?: PerdureError | undefined;
  readonly resolve: (receipts: ('accepted' | 'duplicate')[]) => void;
  readonly reject: (error: Error) => void;
}

/** From another shard. It is not answered but confirmed; what is not confirmed comes again. */
export interface MailWork {
  readonly kind: 'mail';
  readonly envelope: Envelope;
  readonly reject: () => void;
}

/** What a shard is given to do, one batch's worth at a time. */
export type Work = InputWork | EventsWork | MailWork;

/** What a shard is given to do alone: an input of the inbox, or a work; `input` is what code would run for. */
export interface OneWork {
  readonly work?: Work | undefined;
  readonly input?: Input | undefined;
}

/** What code would run for. */
export const inputsOf = (work: Work): Input[] => {
  if (work.kind === 'input') return [work.input];
  return work.kind === 'mail' ? work.envelope.messages.flatMap(({ body }) => (body.to === 'history' ? [body.input] : [])) : [];
};
