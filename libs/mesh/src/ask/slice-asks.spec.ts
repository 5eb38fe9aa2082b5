import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { passTime } from '@perdure/clock/testing';
import { PerdureError } from '@perdure/contract';
import type { DaprAnswer } from '@perdure/dapr';
import { SliceAsks } from './slice-asks.js';

const problem = (code: string, status = 503) => ({ status, text: JSON.stringify({ code, detail: 'said so' }) });

interface Owner {
  readonly address: string;
  /** What it says, call by call. */
  readonly answers: readonly unknown[];
}

const asking = (answers: readonly ({ status: number; text: string } | Error)[], owner?: Owner) => {
  const clock = new ManualClock();
  const asked: string[] = [];
  const left = [...answers];
  const asks = new SliceAsks({
    clock, random: () => 0.5,
    sidecar: {
      invoke: async ({ appId, method }) => {
        asked.push(`${appId} ${method}`);
        const answer = left.length > 1 ? left.shift()! : left[0]!;
        if (answer instanceof Error) throw answer;
        return answer as DaprAnswer;
      },
    },
    placement: { nodeOf: () => owner && { id: 'n', service: 'scheduler', address: owner.address } },
    calls: {
      post: async (address, path) => {
        asked.push(`${address} ${path}`);
        const answer = owner!.answers[asked.length - 1];
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
  });
  const passing = async <T>(promise: Promise<T>): Promise<T> => {
    let isOver = false;
    void promise.catch(() => undefined).finally(() => (isOver = true));
    await passTime(clock, { until: () => isOver, stepMs: 100 });
    return promise;
  };
  return { asks, asked, passing };
};

describe('SliceAsks', () => {
  it('asks again while nobody has the slice or answers, and gives the owner\'s answer', async () => {
    const { asks, asked, passing } = asking([problem('not-owner'), new PerdureError('unavailable', 'no sidecar'), { status: 200, text: '{"tasks":[]}' }]);
    expect(await passing(asks.ask('scheduler/1', { operation: 'poll', body: {} }))).toEqual({ tasks: [] });
    expect(asked).toEqual(Array(3).fill('scheduler internal/slices/1/poll'));
  });

  it('asks again when an answer lost its body on the way', async () => {
    const { asks, asked, passing } = asking([{ status: 200, text: '' }, { status: 200, text: '[true]' }], { address: 'a:1', answers: [undefined] });
    expect(await passing(asks.ask('scheduler/1', { operation: 'answer', body: {} }))).toEqual([true]);
    expect(asked).toHaveLength(3);
  });

  it('asks the node that should have it, and no sidecar', async () => {
    const { asks, asked, passing } = asking([], { address: 'a:1', answers: [{ tasks: [1] }] });
    expect(await passing(asks.ask('scheduler/1', { operation: 'poll', body: {} }))).toEqual({ tasks: [1] });
    expect(asked).toEqual(['a:1 internal/slices/1/poll']);
  });

  it.each(['not-owner', 'unavailable', 'draining'] as const)('goes to the service when that node answers %s', async (code) => {
    const { asks, asked, passing } = asking([problem('not-owner'), { status: 200, text: '{"tasks":[]}' }], { address: 'a:1', answers: [new PerdureError(code, 'said so')] });
    expect(await passing(asks.ask('scheduler/1', { operation: 'poll', body: {} }))).toEqual({ tasks: [] });
    expect(asked).toEqual(['a:1 internal/slices/1/poll', 'scheduler internal/slices/1/poll', 'scheduler internal/slices/1/poll']);
  });

  it('passes on what that node refuses', async () => {
    const { asks, asked, passing } = asking([], { address: 'a:1', answers: [new PerdureError('unknown-query', 'said so')] });
    await expect(passing(asks.ask('history/0', { operation: 'query', body: {} }))).rejects.toMatchObject({ code: 'unknown-query' });
    expect(asked).toHaveLength(1);
  });

  it('passes the owner\'s refusal on as it is, at once', async () => {
    const { asks, asked, passing } = asking([problem('unknown-query', 404)]);
    await expect(passing(asks.ask('history/0', { operation: 'query', body: {} }))).rejects.toMatchObject({ code: 'unknown-query', message: 'said so' });
    expect(asked).toHaveLength(1);
  });

  it('gives up in time', async () => {
    const { asks, passing } = asking([problem('not-owner')]);
    await expect(passing(asks.ask('history/0', { operation: 'query', body: {}, timeoutMs: 2_000 }))).rejects.toMatchObject({ code: 'not-owner' });
  });

  it('does not ask again for who has gone', async () => {
    const gone = new AbortController();
    gone.abort();
    const { asks, asked, passing } = asking([problem('not-owner')]);
    await expect(passing(asks.ask('history/0', { operation: 'query', body: {}, signal: gone.signal }))).rejects.toMatchObject({ code: 'not-owner' });
    expect(asked).toHaveLength(1);
  });
});
