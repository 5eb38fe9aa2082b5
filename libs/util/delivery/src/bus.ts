import type { Confirmation, Envelope } from './message.js';

/** Carries messages between slices. Nothing rests on it: what is lost is sent again, what comes twice is dropped (I4). */
export abstract class Bus {
  /** Never throws: whether it arrived, only the receiver's confirmation says. */
  abstract send(envelope: Envelope): void;
  abstract confirm(confirmation: Confirmation): void;
}
