import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

interface Sent {
  readonly destination: string;
  readonly number: number;
  readonly body: string;
}

/** Effects that one shard of a data folder still keeps for another which has not taken them. One that was taken and is not confirmed yet is on no one's way. */
export const undelivered = (data: string, shards: number): readonly string[] => {
  const files = Array.from({ length: shards }, (_, shard) => new DatabaseSync(join(data, `shard-${shard}.db`), { readOnly: true }));
  try {
    return files.flatMap((file, source) => {
      const sent = file.prepare('select destination, number, body from peer_outbox').all() as unknown as Sent[];
      return sent.filter(({ destination, number }) => !hasTaken(files[shardOf(destination)]!, source, number)).map(({ destination, number, body }) => `shard-${source}.db: effect ${number} for ${destination} is left: ${body.slice(0, 400)}`);
    });
  } finally {
    for (const file of files) file.close();
  }
};

const shardOf = (slice: string): number => Number(slice.replace(/^history\//, ''));

/** Below the mark, or among the numbers seen since (I4). */
const hasTaken = (receiver: DatabaseSync, source: number, number: number): boolean => {
  const row = receiver.prepare('select mark, seen from peer_mark where source = ?').get(`history/${source}`) as { readonly mark: number; readonly seen: string } | undefined;
  return row !== undefined && (number < row.mark || (JSON.parse(row.seen) as number[]).includes(number));
};
