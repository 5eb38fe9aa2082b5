import type { CorrelationEffect, Input } from '@perdure/contract';
import type { SentEffect, ShardContents } from '@perdure/sqlite';

/** What several shards hold together, as if they were one, and what one has sent that the other has not taken yet. */
export interface Contents extends ShardContents {
  readonly coming: readonly CorrelationEffect[];
}

/** Rows name runs by number, and events by arrival, of their shard: so many apart they do not meet. */
const APART = 2 ** 40;

export const mergeShards = (shards: readonly ShardContents[]): Contents => {
  const own = shards.map((contents, shard) => (shards.length === 1 ? contents : apart(contents, shard * APART)));
  const all = <T>(pick: (contents: ShardContents) => readonly T[]): T[] => own.flatMap((contents) => [...pick(contents)]);
  const coming = shards.flatMap((contents, shard) => contents.sent.filter((sent) => !isTaken(sent, shard, shards)).map(({ effect }) => effect));
  return {
    head: own[0]!.head,
    runs: all(({ runs }) => runs), attributes: all(({ attributes }) => attributes), transitions: all(({ transitions }) => transitions), inputs: all(({ inputs }) => inputs),
    snapshots: all(({ snapshots }) => snapshots), tasks: all(({ tasks }) => tasks), timers: all(({ timers }) => timers), waits: all(({ waits }) => waits),
    events: all(({ events }) => events), rollbacks: all(({ rollbacks }) => rollbacks), audit: all(({ audit }) => audit), sent: [], taken: [],
    inbox: [...all(({ inbox }) => inbox), ...coming.flatMap((effect): Input[] => (effect.to === 'history' ? [effect.input] : []))],
    coming: coming.filter((effect): effect is CorrelationEffect => effect.to === 'correlation'),
  };
};

const apart = (contents: ShardContents, by: number): ShardContents => ({
  ...contents,
  runs: contents.runs.map((row) => ({ ...row, number: row.number + by })),
  attributes: contents.attributes.map((row) => ({ ...row, run: row.run + by })),
  transitions: contents.transitions.map((row) => ({ ...row, run: row.run + by })),
  inputs: contents.inputs.map((row) => (row.run === undefined ? row : { ...row, run: row.run + by })),
  snapshots: contents.snapshots.map((row) => ({ ...row, run: row.run + by })),
  waits: contents.waits.map((row) => (row.offered === undefined ? row : { ...row, offered: row.offered + by })),
  events: contents.events.map((row) => ({ ...row, arrival: row.arrival + by })),
});

/** Its sender hears of it later than it is taken: the receiver's mark decides (I4). */
const isTaken = ({ destination, number }: SentEffect, source: number, shards: readonly ShardContents[]): boolean => {
  const receiver = shards[Number(/^history\/(\d+)$/.exec(destination)?.[1])];
  const mark = receiver?.taken.find((each) => each.source === `history/${source}`);
  return mark !== undefined && (number < mark.mark || mark.seen.includes(number));
};
