import { isDeepStrictEqual } from 'node:util';
import { EMPTY_DIGEST, extendDigest, toRunRow, type TransitionRow } from '@perdure/history';
import { attributePairs, type ShardContents } from '@perdure/sqlite';
import { nameOf, shown, type Finding } from './finding.js';
import type { FoldedRun } from './folded-run.js';

/** Each history by itself, and what the store shows of it. */
export function* checkHistories({ runs, attributes }: ShardContents, folded: ReadonlyMap<number, FoldedRun>): Iterable<Finding> {
  const rows = new Map(runs.map((row) => [row.number, row]));
  const indexed = Map.groupBy(attributes, ({ run }) => run);
  for (const number of rows.keys()) if (!folded.has(number)) yield { check: 'history', where: nameOf(rows.get(number)!), what: 'the run has no history' };
  for (const run of folded.values()) {
    const where = nameOf(run.state.run);
    for (const what of flawsOf(run)) yield { check: 'history', where, what };
    const row = rows.get(run.number);
    const expected = toRunRow(run.number, run.state, run.result);
    if (!row) yield { check: 'run', where, what: 'the history has no run' };
    // As JSON, for a member that is undefined is one that is not there.
    else if (!isDeepStrictEqual(plain(row), plain(expected))) yield { check: 'run', where, what: `the row shows ${shown(row)}, history says ${shown(expected)}` };
    const pairs = [...attributePairs(run.state.attributes.searchAttributes)].map((pair) => pair.join('=')).sort();
    const found = (indexed.get(run.number) ?? []).map(({ key, value }) => `${key}=${value}`).sort();
    if (!isDeepStrictEqual(found, [...new Set(pairs)])) yield { check: 'run', where, what: `the attributes ${shown(found)} are indexed, history has ${shown(pairs)}` };
  }
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function* flawsOf({ rows, transitions }: FoldedRun): Iterable<string> {
  if (transitions[0]?.events[0]?.kind !== 'started') yield 'it does not begin with `started`';
  let next = 1;
  let at = 0;
  let digest = EMPTY_DIGEST;
  const inputs = new Set<string>();
  for (const [index, { first, events, ...transition }] of transitions.entries()) {
    const row: TransitionRow = rows[index]!;
    if (first !== next) yield `event ${next} is followed by event ${first}`;
    next = first + events.length;
    if (transition.at < at) yield `event ${first} is of ${transition.at}, the one before it of ${at} (I5)`;
    ({ at } = transition);
    if (inputs.has(transition.inputId)) yield `input ${transition.inputId} made a second transition, at event ${first}`;
    inputs.add(transition.inputId);
    digest = extendDigest(digest, row);
    if (Buffer.compare(digest, row.digest) !== 0) yield `the rolling digest after event ${row.last} is not that of the history (I7)`;
  }
}
