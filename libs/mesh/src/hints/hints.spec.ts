import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { parseTraceparent, runKeyOf, toTraceparent, type Input, type InputOutcome, type TraceContext } from '@perdure/contract';
import { MemoryMembership, MemoryRegistry } from '@perdure/delivery/testing';
import { contentOf, type DecidedInput } from '@perdure/identity';
import { RequestRoots, rootSpanIdOf } from '@perdure/telemetry';
import { MeshOutcomes } from '../ingestion/mesh-outcomes.js';
import { MeshRuns, type MeshRunsDeps } from '../ingestion/mesh-runs.js';
import { MESH_LIMITS } from '../mesh-limits.js';
import { HintBoard } from './hint-board.js';
import { HintSender } from './hint-sender.js';
import { HintedRoots } from './hinted-roots.js';
import { decidedKeyOf, type Hints } from './hints.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const signal = (input: number): Input => ({ tenant: 't', workflowId: 'w', id: 'i', at: 1, kind: 'signal', name: 's', input });
const input = signal(1);
const keyOf = (its: Input): string => decidedKeyOf({ tenant: 't', workflowId: 'w', inputId: 'i' }, contentOf(its));
const reused: InputOutcome = { kind: 'refused', problem: { code: 'input-id-reused', detail: 'Id "i" was used for another input.' } };
const accepted: InputOutcome = { kind: 'accepted', runId: 'r' };
const updated: InputOutcome = { kind: 'updated', runId: 'r', outcome: { status: 'completed' } };

describe('HintSender', () => {
  it('tells every instance of ingestion all that a turn has brought in one call, and one call at a time', async () => {
    const registry = new MemoryRegistry();
    for (const id of ['a', 'b']) registry.put({ id, service: 'ingestion', address: id });
    registry.put({ id: 'c', service: 'history', address: 'c' });
    const posted: { address: string; body: Hints }[] = [];
    const answers: (() => void)[] = [];
    const sender = new HintSender(new MemoryMembership(registry), {
      post: (address, _path, { body }) => new Promise((resolve) => {
        posted.push({ address, body: body as Hints });
        answers.push(() => resolve(undefined));
      }),
    });
    sender.decided('k1', accepted);
    sender.closed('run1');
    await turn();
    sender.decided('k2', accepted);
    await turn();
    sender.decided('k3', accepted);
    await turn();
    expect(posted.map(({ address }) => address).sort()).toEqual(['a', 'b']);
    for (const { body } of posted) expect(body).toEqual({ decided: [{ key: 'k1', outcome: accepted }], closed: ['run1'] });
    for (const answer of answers.splice(0)) answer();
    await turn();
    expect(posted.slice(2).map(({ body }) => body.decided.map(({ key }) => key))).toEqual([['k2', 'k3'], ['k2', 'k3']]);
  });
});

describe('requests that began a trace', () => {
  const STRANGER = parseTraceparent('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01')!;
  const REQUEST: TraceContext = { ...STRANGER, spanId: rootSpanIdOf(STRANGER.traceId) };
  const ROOT = parseTraceparent('00-aaf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00')!;

  it('are told to every instance of ingestion with the run that they were for; strangers are not', async () => {
    const registry = new MemoryRegistry();
    registry.put({ id: 'a', service: 'ingestion', address: 'a' });
    const bodies: Hints[] = [];
    const sender = new HintSender(new MemoryMembership(registry), { post: async (_address, _path, { body }) => void bodies.push(body as Hints) });
    const roots = new HintedRoots(sender);
    expect([roots.join(REQUEST, ROOT), roots.join(STRANGER, ROOT)]).toEqual([true, false]);
    await turn();
    expect(bodies).toEqual([{ decided: [], closed: [], joined: [{ from: toTraceparent(REQUEST), root: toTraceparent(ROOT) }] }]);
  });

  it('hear for which run they were', () => {
    const seen: unknown[] = [];
    const board = new HintBoard(new (class extends RequestRoots {
      override join(from: TraceContext, root: TraceContext): boolean {
        seen.push(from, root);
        return true;
      }
    })());
    board.hear({ decided: [], closed: [], joined: [{ from: toTraceparent(REQUEST), root: toTraceparent(ROOT) }] });
    expect(seen).toEqual([REQUEST, ROOT]);
  });
});

describe('MeshOutcomes', () => {
  const world = () => {
    const board = new HintBoard();
    const clock = new ManualClock();
    const stored = { decided: undefined as DecidedInput | undefined, reads: 0 };
    const outcomes = new MeshOutcomes({ board, clock, reader: { decided: async () => (stored.reads++, stored.decided) } });
    return { board, clock, stored, outcomes };
  };

  it('answers by a hint without asking the store', async () => {
    const { board, clock, stored, outcomes } = world();
    const waiting = outcomes.await(input, { untilMs: clock.now() + 60_000, done: () => true });
    await turn();
    board.hear({ decided: [{ key: keyOf(input), outcome: accepted }], closed: [] });
    expect(await waiting).toEqual(accepted);
    expect(stored.reads).toBe(0);
  });

  it('knows a hint that came before it was asked', async () => {
    const { board, clock, outcomes } = world();
    board.hear({ decided: [{ key: keyOf(input), outcome: accepted }], closed: [] });
    expect(await outcomes.await(input, { untilMs: clock.now() + 60_000, done: () => true })).toEqual(accepted);
  });

  it('looks by itself when hints are lost, and goes on until the outcome is the one that is wanted', async () => {
    const { board, clock, stored, outcomes } = world();
    const waiting = outcomes.await(input, { untilMs: clock.now() + 60_000, done: ({ kind }) => kind === 'updated' });
    await turn();
    board.hear({ decided: [{ key: keyOf(input), outcome: accepted }], closed: [] });
    await turn();
    stored.decided = { outcome: updated, content: contentOf(input) };
    clock.advanceBy(MESH_LIMITS.lookAgainAfterMs);
    expect(await waiting).toEqual(updated);
  });

  it('answers those who bring different things under one id each for its own', async () => {
    const { board, clock, stored, outcomes } = world();
    const other = signal(2);
    const wait = { untilMs: clock.now() + 60_000, done: () => true };
    board.hear({ decided: [{ key: keyOf(input), outcome: accepted }], closed: [] });
    const waiting = outcomes.await(other, wait);
    await turn();
    board.hear({ decided: [{ key: keyOf(other), outcome: reused }], closed: [] });
    expect([await waiting, await outcomes.await(input, wait)]).toEqual([reused, accepted]);
    // Without hints, what is stored tells the same.
    stored.decided = { outcome: accepted, content: contentOf(input) };
    const unheard = outcomes.await(signal(3), wait);
    await turn();
    clock.advanceBy(MESH_LIMITS.lookAgainAfterMs);
    expect([await unheard, stored.reads]).toEqual([reused, 1]);
  });

  it('gives up at the deadline with what is known', async () => {
    const { clock, outcomes } = world();
    const waiting = outcomes.await(input, { untilMs: clock.now() + 500, done: () => true });
    await turn();
    clock.advanceBy(500);
    expect(await waiting).toBeUndefined();
  });
});

describe('MeshRuns.whenClosed', () => {
  it('does not wait for what has closed since the caller looked, and wakes for what closes', async () => {
    const board = new HintBoard();
    const clock = new ManualClock();
    const runs = new MeshRuns({ reader: {} as MeshRunsDeps['reader'], board, clock });
    const run = { tenant: 't', workflowId: 'w', runId: 'r' };
    let isOver = false;
    const waiting = runs.whenClosed(run, { untilMs: clock.now() + 60_000 }).then(() => (isOver = true));
    await turn();
    expect(isOver).toBe(false);
    board.hear({ decided: [], closed: [runKeyOf(run)] });
    await waiting;
    await runs.whenClosed(run, { untilMs: clock.now() + 60_000 });
  });
});
