import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ENGINE_ABI } from '@perdure/contract';
import type { Effect, Transition } from '@perdure/contract';
import { parseTrace } from './trace/trace-file.js';
import { play, TraceRunner } from './trace/trace-runner.js';
import type { Taped } from './trace/trace-runner.js';
import { PIN, plain, World } from './trace/world.js';

/**
 * Histories as the engine of an ABI wrote them (I6). A released one is never written again: when this fails, the same inputs and commands lead to other events,
 * so either mend the engine or raise `ENGINE_ABI` and keep the old way for runs that are pinned to it. WRITE_GOLDEN=1 adds what the present ABI lacks.
 */
interface Golden {
  readonly abi: number;
  readonly tape: readonly Taped[];
  readonly effects: readonly Effect[];
  readonly runs: readonly { readonly runId: string; readonly status: string; readonly lastSeq: number; readonly pending: number; readonly transitions: readonly Transition[] }[];
}

const testdata = new URL('../testdata/', import.meta.url);
const golden = new URL('golden/', testdata);

const SOURCES = ['activity', 'attributes', 'cancel', 'child', 'continue', 'other-runs', 'resume-closes', 'run-timeout', 'saga', 'signal', 'suspend', 'terminate', 'timer', 'update', 'voided', 'wait'];

function perform(tape: readonly Taped[]): Omit<Golden, 'abi'> {
  const world = new World();
  const steps = tape.flatMap(({ input, act }) => world.take(input, { act: play(act), pin: PIN }));
  const effects = steps.flatMap(({ decision, settled }) => settled?.effects ?? ('effects' in decision ? decision.effects : []));
  const runs = [...world.runs.values()].map(({ state, transitions }) => ({ runId: state.run.runId, status: state.status, lastSeq: state.lastSeq, pending: state.pending, transitions }));
  return plain({ tape, effects, runs });
}

function tapeOf(source: string): readonly Taped[] {
  const runner = new TraceRunner();
  for (const block of parseTrace(readFileSync(new URL(`${source}.txt`, testdata), 'utf8'))) if (block.name !== 'limits' && block.args['seen'] === undefined) runner.run(block);
  return plain(runner.tape);
}

if (process.env['WRITE_GOLDEN'] === '1') {
  for (const source of SOURCES) {
    const file = new URL(`abi-${ENGINE_ABI}-${source}.json`, golden);
    if (!existsSync(file)) writeFileSync(file, `${JSON.stringify({ abi: ENGINE_ABI, ...perform(tapeOf(source)) } satisfies Golden)}\n`);
  }
}

describe('golden histories', () => {
  const files = readdirSync(golden);

  it('are there for the present ABI', () => expect(files.filter((name) => name.startsWith(`abi-${ENGINE_ABI}-`))).toHaveLength(SOURCES.length));

  it.each(files)('%s is written again', (name) => {
    const { abi: _, ...recorded } = JSON.parse(readFileSync(new URL(name, golden), 'utf8')) as Golden;
    expect(perform(recorded.tape)).toEqual(recorded);
  });
});
