/** Stops a timer; harmless after it fired. */
export type CancelTimer = () => void;

/** Where time comes from. Domain code reads no other clock, so that tests and simulations own it. */
export abstract class Clock {
  /** Epoch milliseconds. */
  abstract now(): number;
  /** Calls `run` once, at or soon after `atMs` (epoch milliseconds); at once if that has passed. Never calls it synchronously. */
  abstract at(atMs: number, run: () => void): CancelTimer;
}
