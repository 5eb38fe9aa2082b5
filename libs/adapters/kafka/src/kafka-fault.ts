import { isPerdureError, PerdureError } from '@perdure/contract';

/** Kafka's own names of what may be wrong with an answer, in an error of `@platformatic/kafka`. */
export const saysKafka = (error: unknown, ...names: readonly string[]): boolean => {
  if (!isFindable(error)) return false;
  return names.some((name) => error.findBy('apiId', name) !== null && error.findBy('apiId', name) !== undefined);
};

const isFindable = (error: unknown): error is { findBy(property: string, value: string): unknown } => error instanceof Error && 'findBy' in error && typeof error.findBy === 'function';

/** Whatever went wrong between here and Kafka: it may pass. */
export const toUnavailable = (thrown: unknown, doing: string): PerdureError => {
  if (isPerdureError(thrown)) return thrown;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new PerdureError('unavailable', `Kafka cannot ${doing} now: ${why}`, { cause: thrown });
};

/** kafkajs says so of a Produce that is over the topic's limit; trying again helps nobody. */
export const isTooLarge = (thrown: unknown): boolean => thrown instanceof Error && (('type' in thrown && thrown.type === 'MESSAGE_TOO_LARGE') || isTooLarge(thrown.cause));
