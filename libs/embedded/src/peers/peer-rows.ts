import type { MarkRow, MessageBody, OutboxChanges, OutboxRow, SliceName } from '@perdure/delivery';
import type { ShardFile } from '@perdure/sqlite';
import type { StatementSync } from 'node:sqlite';

/** The rows of messages between shards, in the shard's file. */
export class PeerRows {
  readonly #file: ShardFile;
  readonly #put: StatementSync;
  readonly #putLast: StatementSync;
  readonly #delete: StatementSync;
  readonly #putMark: StatementSync;

  constructor(file: ShardFile) {
    this.#file = file;
    this.#put = file.db.prepare('insert into peer_outbox values (?, ?, ?)');
    this.#putLast = file.db.prepare('insert into peer_last values (?, ?) on conflict (destination) do update set number = excluded.number');
    this.#delete = file.db.prepare('delete from peer_outbox where destination = ? and number = ?');
    this.#putMark = file.db.prepare('insert into peer_mark values (?, ?, ?) on conflict (source) do update set mark = excluded.mark, seen = excluded.seen');
  }

  outbox(): { readonly rows: OutboxRow[]; readonly lastNumbers: Record<string, number> } {
    const { db } = this.#file;
    const rows = db.prepare('select * from peer_outbox order by destination, number').all() as unknown as { destination: SliceName; number: number; body: string }[];
    const last = db.prepare('select * from peer_last').all() as unknown as { destination: SliceName; number: number }[];
    return {
      rows: rows.map(({ destination, number, body }) => ({ destination, number, body: JSON.parse(body) as MessageBody })),
      lastNumbers: Object.fromEntries(last.map(({ destination, number }) => [destination, number])),
    };
  }

  marks(): MarkRow[] {
    const rows = this.#file.db.prepare('select * from peer_mark').all() as unknown as { source: SliceName; mark: number; seen: string }[];
    return rows.map(({ source, mark, seen }) => ({ source, mark, seen: JSON.parse(seen) as number[] }));
  }

  /** Inside a transaction of the file. */
  write({ put, confirmed }: OutboxChanges, marks: readonly MarkRow[]): void {
    for (const { destination, number, body } of put) {
      this.#put.run(destination, number, JSON.stringify(body));
      this.#putLast.run(destination, number);
    }
    for (const { destination, number } of confirmed) this.#delete.run(destination, number);
    for (const { source, mark, seen } of marks) this.#putMark.run(source, mark, JSON.stringify(seen));
  }
}
