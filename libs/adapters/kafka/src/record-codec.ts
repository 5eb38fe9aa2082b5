import type { LogEntry, LogRecord } from '@perdure/delivery';

/** The one header of a record: the id that its appender gave it. */
export const ID_HEADER = 'id';

/** A record as Kafka has it. */
export interface RawRecord {
  readonly offset: number;
  readonly id: string | undefined;
  readonly value: Buffer | null;
}

export const encodeEntry = ({ origin, body }: LogEntry): Buffer => Buffer.from(JSON.stringify(origin ? { origin, body } : { body }));

/** @throws Error for what none of us wrote */
export function decodeRecord({ offset, id, value }: RawRecord): LogRecord {
  if (id === undefined || value === null) throw new Error(`The record at ${offset} is none of ours.`);
  const { origin, body } = JSON.parse(value.toString()) as LogEntry;
  return { offset, id, body, ...(origin ? { origin } : {}) };
}
