import { describe, expect, it } from '@jest/globals';
import type { Effect, Json } from '@perdure/contract';
import { StoreFault } from '@perdure/delivery';
import type { StackMapper } from './ports/stack-mapper.js';
import type { Script } from './testing/fake-realms.js';
import { schedule, steps } from './testing/scripts.js';
import { ShardBench } from './testing/shard-bench.js';

const SCRIPTS = { five: steps(5), 'five@2': steps(5), 'five@odd': ((job, memory) => (job.kind === 'started' ? [schedule((memory.seq = 1), 'other')] : steps(5)(job, memory))) satisfies Script, long: steps(1_000) };
const kinds = (effects: readonly Effect[]): string[] => effects.map((effect) => (effect.to === 'history' ? effect.input.kind : effect.kind));
const open = (limits?: Parameters<typeof ShardBench.open>[0]['limits']): Promise<ShardBench> => ShardBench.open({ scripts: SCRIPTS, ...(limits ? { limits } : {}) });
const A = { tenant: 't', workflowId: 'a' };

describe('a batch', () => {
  it('takes a run from start to its end', async () => {
    const bench = await open();
    expect(kinds(await bench.run(bench.start('a', 'five')))).toEqual(['scheduleTask']);
    expect(bench.outcome('start:a')).toMatchObject({ kind: 'started', created: true });
    for (const seq of [1, 2, 3, 4]) expect(kinds(await bench.run(bench.closing('a', seq, seq)))).toEqual(['scheduleTask']);
    await bench.run(bench.closing('a', 5, 5));
    expect(bench.closed).toMatchObject([{ status: 'completed', result: 15 }]);
    expect(await bench.store.findRun(A)).toMatchObject({ status: 'completed', result: { result: 15 } });
    expect(bench.realms.live).toBe(0);
  });

  it('writes one transition a step and the run only when what it shows changes', async () => {
    const bench = await open();
    await bench.run(bench.start('a', 'five'));
    await bench.processor.process([bench.closing('a', 1, 1)]);
    expect(bench.processor.takeCommit()).toMatchObject({ transitions: [{ last: 4 }], runs: [], inputs: [], cursor: { from: 1, to: 2 } });
  });

  it('tells nothing before it is committed', async () => {
    const bench = await open();
    await bench.processor.process([bench.start('a', 'five')]);
    expect(bench.outcomes.size).toBe(0);
    await bench.commit();
    expect(bench.outcomes.size).toBe(1);
  });

  it('that fails is taken back: states, realms, numbers; and may be given again', async () => {
    const bench = await open();
    await bench.run(bench.start('a', 'five'));
    const batch = [bench.closing('a', 1, 7), bench.start('b', 'five')];
    await bench.processor.process(batch);
    bench.store.failNext(new StoreFault('unavailable', 'the disk is full'));
    await expect(bench.commit()).rejects.toMatchObject({ fault: 'unavailable' });
    bench.processor.takeBack();
    expect(bench.realms.live).toBe(0);
    expect(await bench.processor.query(A, { name: 'sum', at: 0 })).toEqual({ value: 0 });
    await bench.run(...batch);
    expect(await bench.processor.query(A, { name: 'sum', at: 0 })).toEqual({ value: 7 });
    expect([...bench.store.runs.keys()]).toEqual([1, 2]);
  });

  it('leaves the same rows whether inputs come singly or together', async () => {
    const rows = async (together: boolean): Promise<unknown> => {
      const bench = await open();
      const inputs = ['a', 'b'].flatMap((id) => [bench.start(id, 'five'), ...[1, 2, 3].map((seq) => bench.closing(id, seq, seq))]);
      if (together) await bench.run(...inputs);
      else for (const input of inputs) await bench.run(input);
      return Promise.all([1, 2].map((run) => bench.store.transitions(run, { fromEvent: 1, limit: 100 })));
    };
    expect(await rows(true)).toEqual(await rows(false));
  });
});

describe('an input that comes again', () => {
  it('changes nothing and gets the first answer', async () => {
    const bench = await open();
    await bench.run(bench.start('a', 'five'));
    const signal = bench.input('a', 's1', { kind: 'signal', name: 'add', input: 5 });
    await bench.run(signal, signal);
    await bench.reopen();
    await bench.run({ ...signal, at: signal.at + 9 });
    expect(bench.outcomes.get('s1')).toEqual(Array(3).fill({ kind: 'accepted', runId: 'a:start:a' }));
    expect(await bench.processor.query(A, { name: 'sum', at: 0 })).toEqual({ value: 5 });
  });

  it('is refused when it asks for something else, in whatever order its keys stand', async () => {
    const bench = await open();
    await bench.run(bench.start('a', 'five'));
    await bench.run(bench.input('a', 's1', { kind: 'signal', name: 'add', input: { x: 1, y: 2 } }));
    await bench.run(bench.input('a', 's1', { kind: 'signal', name: 'add', input: { y: 2, x: 1 } }));
    expect(bench.outcome('s1')).toMatchObject({ kind: 'accepted' });
    await bench.run(bench.input('a', 's1', { kind: 'signal', name: 'add', input: { x: 1, y: 3 } }));
    expect(bench.outcome('s1')).toMatchObject({ kind: 'refused', problem: { code: 'input-id-reused' } });
    expect(await bench.store.findInput({ ...A, inputId: 's1' })).toMatchObject({ outcome: { kind: 'accepted' } });
  });

  it('of a start with another input conflicts', async () => {
    const bench = await open();
    await bench.run(bench.start('a', 'five', { input: 1 }));
    await bench.run(bench.start('a', 'five', { input: 2 }));
    expect(bench.outcome('start:a')).toMatchObject({ kind: 'refused', problem: { code: 'workflow-exists' } });
  });

  it('is refused as before when it was refused', async () => {
    const bench = await open();
    const signal = bench.input('nobody', 's1', { kind: 'signal', name: 'add', input: 5 });
    await bench.run(signal);
    await bench.run(bench.start('nobody', 'five'));
    await bench.run(signal);
    expect(bench.outcomes.get('s1')).toMatchObject(Array(2).fill({ kind: 'refused', problem: { code: 'unknown-run' } }));
  });

  it('of an update gives its end once it has ended', async () => {
    const bench = await open();
    await bench.run(bench.start('a', 'five'));
    const update = bench.input('a', 'u1', { kind: 'update', name: 'add', input: 3 });
    await bench.run(update);
    await bench.run(update);
    expect(bench.outcome('u1')).toMatchObject({ kind: 'updated', outcome: { value: 3 } });
  });
});

describe('an input at fault', () => {
  it('is set aside, its run suspends, and its neighbours in the batch go on', async () => {
    const bench = await open();
    await bench.run(bench.start('a', 'five'), bench.start('b', 'five'));
    await bench.run(bench.closing('a', 1, 1), bench.input('a', 'bad', { kind: 'signal', name: 'crash', input: 50 }), bench.closing('b', 1, 4));
    expect(bench.faults).toEqual(['bad: the host has a bug']);
    expect(bench.outcome('bad')).toMatchObject({ kind: 'refused', problem: { code: 'internal' } });
    expect(await bench.store.findRun(A)).toMatchObject({ status: 'suspended', suspended: { kind: 'refused', inputId: 'bad' } });
    expect(await bench.processor.query({ tenant: 't', workflowId: 'b' }, { name: 'sum', at: 0 })).toEqual({ value: 4 });
    expect(await bench.processor.query(A, { name: 'sum', at: 0 })).toEqual({ value: 1 });
  });

  it('that the run awaits is kept for the resume', async () => {
    let isBroken = true;
    const bench = await ShardBench.open({
      scripts: {
        five: (job, memory) => {
          if (job.kind === 'activityClosed' && isBroken) throw new Error('the host has a bug');
          return steps(5)(job, memory);
        },
      },
    });
    await bench.run(bench.start('a', 'five'));
    await bench.run(bench.closing('a', 1, 6));
    expect(await bench.store.findRun(A)).toMatchObject({ status: 'suspended' });
    isBroken = false;
    await bench.reopen();
    expect(kinds(await bench.run(bench.input('a', 'r1', { kind: 'resume' })))).toEqual(['scheduleTask']);
    expect(await bench.processor.query(A, { name: 'sum', at: 0 })).toEqual({ value: 6 });
  });

  it('that the store cannot take is refused by name', async () => {
    const bench = await open();
    await bench.run(bench.start('a', 'five'));
    const input = bench.input('a', 's1', { kind: 'signal', name: 'add', input: 5 });
    await bench.processor.process([input]);
    bench.processor.takeBack();
    await bench.processor.refuse(input, new Error('too big'));
    await bench.commit();
    expect(bench.outcome('s1')).toMatchObject({ kind: 'refused' });
    expect(await bench.store.findRun(A)).toMatchObject({ status: 'suspended' });
  });

  it('that has killed its process is recorded without its code, if the run awaits it', async () => {
    const bench = await open();
    await bench.run(bench.start('a', 'five'));
    await bench.processor.refuse(bench.closing('a', 1, 6), new Error('it has ended its owner 3 times'), { mayRecord: true });
    await bench.commit();
    expect(await bench.store.findRun(A)).toMatchObject({ status: 'suspended', suspended: { kind: 'refused' } });
    expect(kinds(await bench.run(bench.input('a', 'r1', { kind: 'resume' })))).toEqual(['scheduleTask']);
    expect(await bench.processor.query(A, { name: 'sum', at: 0 })).toEqual({ value: 6 });
  });

  it('starts nothing for want of a bundle, and tells the parent', async () => {
    const bench = await open();
    await bench.run(bench.start('a', 'nowhere'));
    expect(bench.outcome('start:a')).toMatchObject({ kind: 'refused', problem: { code: 'unknown-workflow' } });
    await bench.run(bench.start('b', 'five', { bundle: 'gone' }));
    expect(bench.outcome('start:b')).toMatchObject({ kind: 'refused', problem: { code: 'unknown-bundle' } });
    const parent = { tenant: 't', workflowId: 'p', runId: 'p1', seq: 3, closePolicy: 'terminate' as const };
    expect(await bench.run(bench.start('c', 'nowhere', { parent }))).toMatchObject([{ to: 'history', input: { kind: 'childClosed', seq: 3, outcome: { status: 'failed' } } }]);
  });
});

describe('a run comes back', () => {
  const sumAfter = async (bench: ShardBench): Promise<unknown> => {
    await bench.run(bench.closing('a', 3, 100));
    return (await bench.processor.query(A, { name: 'sum', at: 0 })).value;
  };
  const prepared = async (limits?: Parameters<typeof open>[0]): Promise<ShardBench> => {
    const bench = await open(limits);
    await bench.run(bench.start('a', 'long'), bench.closing('a', 1, 1), bench.closing('a', 2, 2));
    return bench;
  };

  it('from its history', async () => {
    const bench = await prepared();
    await bench.reopen();
    expect(await sumAfter(bench)).toBe(103);
    expect(bench.realms.restored).toBe(0);
  });

  it('from a snapshot and the events after it, when it made room for another', async () => {
    const bench = await prepared({ realmsMax: 1 });
    await bench.run(bench.start('b', 'long'));
    expect(bench.store.snapshots.size).toBe(0);
    await bench.commit();
    expect(bench.store.snapshots.size).toBe(1);
    await bench.run(bench.input('a', 's', { kind: 'signal', name: 'add', input: 1_000 }));
    await bench.reopen();
    bench.store.transitionsRead = 0;
    expect(await sumAfter(bench)).toBe(1_103);
    expect(bench.realms.restored).toBeGreaterThan(0);
    expect(bench.store.transitionsRead).toBeLessThanOrEqual(2);
  });

  it('from its history when the snapshot is damaged', async () => {
    const bench = await prepared({ realmsMax: 1 });
    await bench.run(bench.start('b', 'long'));
    await bench.commit();
    bench.store.damageSnapshots();
    await bench.reopen();
    expect(await sumAfter(bench)).toBe(103);
    expect(bench.realms.restored).toBe(0);
  });

  it('from what the batch itself has written, when the batch had to make room', async () => {
    const bench = await prepared({ realmsInBatchMax: 1, realmsMax: 1 });
    await bench.run(bench.input('a', 's1', { kind: 'signal', name: 'add', input: 10 }), bench.start('b', 'long'), bench.input('a', 's2', { kind: 'signal', name: 'add', input: 20 }));
    expect(await sumAfter(bench)).toBe(133);
  });

  it('and what is not committed is in no snapshot', async () => {
    const bench = await prepared({ realmsInBatchMax: 1, realmsMax: 1 });
    await bench.processor.process([bench.input('a', 's1', { kind: 'signal', name: 'add', input: 10 }), bench.start('b', 'long')]);
    expect(bench.processor.takeCommit()).toMatchObject({ snapshots: [] });
  });

  it('with the very state that it had, live, folded or from a snapshot', async () => {
    const states = async (reload: (bench: ShardBench) => Promise<void>): Promise<unknown> => {
      const bench = await prepared({ realmsMax: 1 });
      await bench.run(bench.start('b', 'long'));
      await reload(bench);
      await bench.run(bench.closing('a', 3, 3));
      await bench.run(bench.input('a', 'suspend', { kind: 'suspend' }));
      return [await bench.store.transitions(1, { fromEvent: 1, limit: 100 }), await bench.store.findRun(A)];
    };
    const live = await states(async () => undefined);
    expect(await states((bench) => bench.reopen())).toEqual(live);
    expect(await states(async (bench) => (await bench.commit(), bench.reopen()))).toEqual(live);
  });

  it('is snapshotted every so many events', async () => {
    const bench = await open({ snapshotEveryEvents: 6 });
    await bench.run(bench.start('a', 'long'));
    for (let seq = 1; seq <= 9; seq++) await bench.run(bench.closing('a', seq, 1));
    expect(bench.store.snapshots.get(1)).toMatchObject({ last: 18 });
  });

  it('is snapshotted the less often the larger it is', async () => {
    const bench = await open({ snapshotEveryEvents: 6, snapshotBytesPerEvent: 10 });
    await bench.run(bench.start('a', 'long'));
    for (let seq = 1; seq <= 9; seq++) await bench.run(bench.closing('a', seq, 1));
    const { last, body } = bench.store.snapshots.get(1)!;
    expect(last).toBe(6);
    expect(body.length).toBeGreaterThan(200);
  });

  it('without its deferred jobs, which only resume lets run', async () => {
    const bench = await prepared({ realmsMax: 1 });
    await bench.run(bench.input('a', 'suspend', { kind: 'suspend' }));
    await bench.run(bench.input('a', 's1', { kind: 'signal', name: 'add', input: 10 }));
    await bench.run(bench.start('b', 'long'));
    await bench.run(bench.start('c', 'long'));
    await bench.reopen();
    expect(await bench.processor.query(A, { name: 'sum', at: 0 })).toEqual({ value: 3 });
    await bench.run(bench.input('a', 'resume', { kind: 'resume' }));
    await bench.reopen();
    expect(await sumAfter(bench)).toBe(113);
  });
});

describe('code', () => {
  it('that hits a limit is void, and its run waits suspended', async () => {
    const bench = await open();
    await bench.run(bench.start('a', 'five'), bench.closing('a', 1, 2));
    await bench.run(bench.input('a', 'v', { kind: 'signal', name: 'void' }));
    expect(await bench.store.findRun(A)).toMatchObject({ status: 'suspended', suspended: { kind: 'voided', limit: 'time' } });
    expect(bench.realms.live).toBe(0);
    expect(await bench.processor.query(A, { name: 'sum', at: 0 })).toEqual({ value: 2 });
  });

  it('that was suspended is told of once, whatever comes meanwhile', async () => {
    const bench = await open();
    await bench.run(bench.start('a', 'five'));
    await bench.run(bench.input('a', 'v', { kind: 'signal', name: 'void' }), bench.input('a', 's', { kind: 'suspend', reason: 'me too' }));
    await bench.run(bench.input('a', 'v2', { kind: 'signal', name: 'void' }));
    expect(bench.suspended).toMatchObject([{ kind: 'voided', limit: 'time' }]);
    await bench.run(bench.start('b', 'five'), bench.input('b', 's', { kind: 'suspend', reason: 'look' }));
    expect(bench.suspended.slice(1)).toEqual([{ kind: 'operator', message: 'look' }]);
  });

  it.each(['fail', 'cancel'] as const)('that ends with an error (%s) shows where in its own files', async (kind) => {
    const error = { type: 'Error', message: 'no', stack: 'bundle.js:1:1' };
    const stacks: StackMapper = { map: async (_tenant, bundle, failure) => ({ ...failure, stack: `${bundle}.ts:7:1` }) };
    const bench = await ShardBench.open({ scripts: { ends: () => [{ kind, error }] }, stacks });
    await bench.run(bench.start('a', 'ends'));
    expect(bench.closed).toMatchObject([{ error: { stack: 'ends.ts:7:1' } }]);
  });

  it('that gives what nests too deep for whoever takes it is void too, in a query as well', async () => {
    const value = JSON.parse('['.repeat(8_000) + ']'.repeat(8_000)) as Json;
    const deep: Script = (job) => (job.kind === 'query' ? { answer: { value } } : job.kind === 'started' ? [schedule(1)] : [{ kind: 'complete', result: value }]);
    const bench = await ShardBench.open({ scripts: { deep } });
    await bench.run(bench.start('a', 'deep'));
    await expect(bench.processor.query(A, { name: 'q', at: 0 })).rejects.toMatchObject({ code: 'query-failed', message: expect.stringContaining('deeper than 500') });
    await bench.run(bench.closing('a', 1, 1));
    expect(await bench.store.findRun(A)).toMatchObject({ status: 'suspended', suspended: { kind: 'voided', limit: 'output', message: expect.stringContaining('deeper than 500') } });
  });

  it('that ended a run in a resume is not asked for what came after its end, in a replay either', async () => {
    const once: Script = (job, memory) => (job.kind === 'activityClosed' ? [{ kind: 'complete', result: 7 }] : job.kind === 'started' ? [schedule(1)] : steps(1)(job, memory));
    const bench = await ShardBench.open({ scripts: { once } });
    await bench.run(bench.start('a', 'once'));
    await bench.run(bench.input('a', 'suspend', { kind: 'suspend' }));
    await bench.run(bench.closing('a', 1, 1), bench.input('a', 'v', { kind: 'signal', name: 'void' }));
    await bench.run(bench.input('a', 'resume', { kind: 'resume' }));
    expect(await bench.store.findRun(A)).toMatchObject({ status: 'completed' });
    await bench.reopen();
    expect(await bench.processor.query(A, { name: 'sum', at: 0 })).toEqual({ value: 0 });
  });

  it('that no longer does what history says suspends its run with the difference', async () => {
    const scripts: Record<string, Script> = { five: steps(5) };
    const bench = await ShardBench.open({ scripts });
    await bench.run(bench.start('a', 'five'));
    await bench.reopen();
    bench.realms.scripts.five = SCRIPTS['five@odd'];
    await bench.run(bench.closing('a', 1, 1));
    expect(await bench.store.findRun(A)).toMatchObject({ status: 'suspended', suspended: { kind: 'nondeterminism', n: 2, diff: expect.stringContaining('other') as unknown } });
  });

  it('of another bundle takes a run over if the whole history replays on it', async () => {
    const bench = await open();
    await bench.run(bench.start('a', 'five'), bench.closing('a', 1, 2), bench.input('a', 'suspend', { kind: 'suspend' }));
    await bench.run(bench.input('a', 'r0', { kind: 'resume', bundle: 'gone' }));
    expect(bench.outcome('r0')).toMatchObject({ kind: 'refused', problem: { code: 'unknown-bundle' } });
    await bench.run(bench.input('a', 'r1', { kind: 'resume', bundle: 'five@odd' }));
    expect(bench.outcome('r1')).toMatchObject({ kind: 'refused', problem: { code: 'replay-differs', detail: expect.stringContaining('other') as unknown } });
    expect(await bench.store.findRun(A)).toMatchObject({ status: 'suspended', pin: { bundle: 'five' } });
    await bench.run(bench.input('a', 'r2', { kind: 'resume', bundle: 'five@2' }));
    expect(await bench.store.findRun(A)).toMatchObject({ status: 'running', pin: { bundle: 'five@2' } });
    await bench.reopen();
    await bench.run(bench.closing('a', 2, 3));
    expect(await bench.processor.query(A, { name: 'sum', at: 0 })).toEqual({ value: 5 });
  });

  it('that refuses a signal leaves no trace of it but the refusal', async () => {
    const bench = await open();
    await bench.run(bench.start('a', 'five'));
    await bench.run(bench.input('a', 's', { kind: 'signal', name: 'nope', input: 9 }));
    expect(bench.outcome('s')).toMatchObject({ kind: 'refused', problem: { code: 'unknown-signal' } });
    expect(await bench.processor.query(A, { name: 'sum', at: 0 })).toEqual({ value: 0 });
    await expect(bench.processor.query(A, { name: 'nope', at: 0 })).rejects.toMatchObject({ code: 'unknown-query' });
    expect((await bench.store.transitions(1, { fromEvent: 1, limit: 9 })).length).toBe(1);
  });

  it('that continues as new starts the next run in the same transaction', async () => {
    const bench = await ShardBench.open({ scripts: { loop: (job) => (job.kind === 'started' ? (job.input === 3 ? [{ kind: 'complete' as const }] : [{ kind: 'continueAsNew' as const, workflowType: 'loop', input: Number(job.input) + 1, carried: [] }]) : undefined) } });
    await bench.processor.process([bench.start('a', 'loop', { input: 0 })]);
    expect(bench.processor.takeCommit()).toMatchObject({ cursor: { from: 0, to: 1 }, runs: [{ status: 'continued' }, { status: 'continued' }, { status: 'continued' }, { status: 'completed' }] });
  });
});

describe('memory', () => {
  it('holds no more runs and realms than it may', async () => {
    const bench = await open({ realmsMax: 2, runsMax: 3 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) await bench.run(bench.start(id, 'long'));
    expect(bench.realms.live).toBe(2);
    await bench.run(...['a', 'b', 'c', 'd', 'e'].map((id) => bench.closing(id, 1, 1)));
    expect(bench.realms.live).toBeLessThanOrEqual(2);
    expect(bench.processor.liveRealms).toBe(bench.realms.live);
  });

  it('holds fewer realms when they are large', async () => {
    const bench = await open({ realmBytesMax: 30 });
    bench.realms.bytesEach = 10;
    for (const id of ['a', 'b', 'c', 'd', 'e']) await bench.run(bench.start(id, 'long'));
    expect(bench.realms.live).toBe(3);
    bench.realms.bytesEach = 20;
    await bench.run(bench.closing('e', 1, 1));
    expect(bench.realms.live).toBe(1);
  });

  describe('that the machine does not have for a realm to run in', () => {
    const overloaded = expect.objectContaining({ code: 'overloaded' });

    it.each([['its history', false], ['a snapshot', true]])('is waited for by a run that comes back from %s, and no realm is left behind', async (_, isParked) => {
      const bench = await open(isParked ? { snapshotEveryEvents: 1 } : {});
      await bench.run(bench.start('a', 'long'));
      await bench.commit();
      const closing = bench.closing('a', 1, 5);
      if (isParked) await bench.run(bench.input('a', 's', { kind: 'signal', name: 'add', input: 7 }));
      bench.processor.close();
      await bench.reopen();
      expect(bench.store.snapshots.size).toBe(isParked ? 1 : 0);
      bench.realms.isFull = true;
      for (let attempt = 0; attempt < 2; attempt++) {
        await expect(bench.processor.process([closing])).rejects.toEqual(overloaded);
        bench.processor.takeBack();
        expect(bench.realms.live).toBe(0);
      }
      bench.realms.isFull = false;
      await bench.run(closing);
      expect(await bench.processor.query(A, { name: 'sum', at: 0 })).toEqual({ value: isParked ? 12 : 5 });
      expect(bench.faults).toEqual([]);
    });

    it('hinders no commit: a realm that makes room goes without a snapshot', async () => {
      const bench = await open({ realmsMax: 1 });
      await bench.run(bench.start('a', 'long'), bench.closing('a', 1, 5));
      await bench.processor.process([bench.start('b', 'long')]);
      bench.realms.isFull = true;
      await bench.commit();
      expect(bench.processor.liveRealms).toBe(1);
      bench.realms.isFull = false;
      expect(bench.processor.takeCommit()).toBeUndefined();
      expect(await bench.processor.query(A, { name: 'sum', at: 0 })).toEqual({ value: 5 });
    });

    it('ends a query, and the realm that may not have been put back', async () => {
      const bench = await open();
      await bench.run(bench.start('a', 'long'), bench.closing('a', 1, 5));
      bench.realms.isFull = true;
      await expect(bench.processor.query(A, { name: 'sum', at: 0 })).rejects.toEqual(overloaded);
      expect(bench.realms.live).toBe(0);
      bench.realms.isFull = false;
      expect(await bench.processor.query(A, { name: 'sum', at: 0 })).toEqual({ value: 5 });
    });
  });

  it('forgets runs that were purged', async () => {
    const bench = await ShardBench.open({ scripts: { once: () => [{ kind: 'complete' }] } });
    await bench.run(bench.start('a', 'once'));
    expect(await bench.processor.purge({ closedBeforeMs: 1_000_000, limit: 10 })).toBe(1);
    await bench.run(bench.start('a', 'once', { input: 'other' }));
    expect(bench.outcome('start:a')).toMatchObject({ kind: 'started', created: true });
  });
});
