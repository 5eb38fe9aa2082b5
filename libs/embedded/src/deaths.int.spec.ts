import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { bundle, type Bundle } from '@perdure/bundler';
import { ManualClock } from '@perdure/clock';
import type { Input, InputBody, InputOutcome } from '@perdure/contract';
import { StoreFault } from '@perdure/history';
import { OneBundle } from '@perdure/history/testing';
import { deriveRunId } from '@perdure/identity';
import { Sandbox } from '@perdure/sandbox';
import { ShardFile, SqliteRunReader } from '@perdure/sqlite';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aloneAfterDeaths } from './alone-after-deaths.js';
import { EmbeddedShard } from './embedded-shard.js';

/** After a first death so many inputs run alone. */
const ALONE_FIRST = 8;

const DEADLY = 'now the process dies';

const SOURCE = `
import { condition, onSignal, signal, sleep } from '@perdure/sdk/workflow';
export const add = signal<number>('add');
export const die = signal<void>('die');

export async function counts(goal: number): Promise<number> {
  let sum = 0;
  onSignal(add, (n) => { sum += n; });
  onSignal(die, () => { console.log('${DEADLY}'); });
  await condition(() => sum >= goal);
  return sum;
}
export async function wakes(isDeadly: boolean): Promise<string> {
  await sleep('1s');
  if (isDeadly) console.log('${DEADLY}');
  return 'awake';
}
`;

/** A process that has died commits nothing. `failsAt`: the transaction of that number from now on finds no room. */
class MortalFile extends ShardFile {
  isDead = false;
  failsAt = 0;

  override transaction<T>(write: () => T): T {
    if (this.isDead) throw new StoreFault('staleOwner', 'the process is dead');
    if (this.failsAt-- === 1) throw new StoreFault('unavailable', 'the disk is full');
    return super.transaction(write);
  }
}

describe('Code that kills its process', () => {
  let made: Bundle;
  let folder: string;
  let clock: ManualClock;
  let file: MortalFile;
  let shard: EmbeddedShard;
  let deaths: number;
  let sent = 0;

  const open = async (): Promise<void> => {
    const mortal = new MortalFile({ path: join(folder, 'shard.db') });
    file = mortal;
    const sandbox = await Sandbox.create({ snapshotKey: new Uint8Array(32) });
    shard = await EmbeddedShard.open({
      file, bundles: new OneBundle(made), sandbox, clock, random: () => 0.5, snapshotKey: new Uint8Array(32), aloneAfter: (count) => aloneAfterDeaths(count, ALONE_FIRST),
      onFatal: () => undefined,
      log: (_, message) => {
        if (message !== DEADLY || mortal.isDead) return;
        deaths += 1;
        mortal.isDead = true;
      },
    });
  };
  const toInput = (workflowId: string, body: InputBody, id = `i${sent++}`): Input => ({ id, tenant: 'acme', workflowId, at: clock.now(), ...body }) as Input;
  const start = async (workflowId: string, workflowType: string, input: unknown): Promise<void> => {
    await shard.append([toInput(workflowId, { kind: 'start', workflowType, newRunId: deriveRunId({ tenant: 'acme', workflowId, startId: 'start' }), bundle: made.hash, input: input as never }, 'start')]);
  };
  const found = (workflowId: string): unknown => new SqliteRunReader(file.db).find({ tenant: 'acme', workflowId });
  /** Clients send the same inputs until each is answered; a dead process is started again. */
  const insist = async (inputs: readonly Input[]): Promise<InputOutcome[]> => {
    const answers = new Map<string, InputOutcome>();
    for (let tries = 0; answers.size < inputs.length && tries < 20; tries++) {
      const open_ = inputs.filter(({ id }) => !answers.has(id));
      const told = await Promise.allSettled(open_.map(async (input) => (await shard.append([input]))[0]!));
      for (const [index, answer] of told.entries()) if (answer.status === 'fulfilled') answers.set(open_[index]!.id, answer.value);
      await shard.settled();
      if (file.isDead) await open();
    }
    return inputs.flatMap(({ id }) => answers.get(id) ?? []);
  };

  beforeAll(async () => {
    made = await bundle({ source: SOURCE, resolveDir: import.meta.dirname });
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perdure-'));
    clock = new ManualClock();
    deaths = 0;
    await open();
  });
  afterEach(async () => {
    await shard.close();
    await rm(folder, { recursive: true });
  });

  it('takes a batch with it once, is tried alone three times and then refused; its neighbours go on', async () => {
    await start('a', 'counts', 2);
    await start('poisoned', 'counts', 1);
    await start('b', 'counts', 1);
    const answers = await insist([toInput('a', { kind: 'signal', name: 'add', input: 1 }), toInput('poisoned', { kind: 'signal', name: 'die' }), toInput('b', { kind: 'signal', name: 'add', input: 1 })]);
    expect(answers).toMatchObject([{ kind: 'accepted' }, { kind: 'refused', problem: { code: 'internal' } }, { kind: 'accepted' }]);
    expect(deaths).toBe(4);
    expect([found('a'), found('poisoned'), found('b')]).toMatchObject([{ status: 'running' }, { status: 'suspended', suspended: { kind: 'refused' } }, { status: 'completed' }]);
  });

  it('takes nothing with it that was sent before it, from its second time on', async () => {
    await start('a', 'counts', 2);
    await start('poisoned', 'counts', 1);
    const batch = [toInput('a', { kind: 'signal', name: 'add', input: 1 }), toInput('poisoned', { kind: 'signal', name: 'die' })];
    for (const wanted of ['rejected', 'fulfilled']) {
      const [first] = await Promise.allSettled(batch.map((input) => shard.append([input])));
      expect(first).toMatchObject({ status: wanted });
      await open();
    }
  });

  it('is found as well when much comes before it', async () => {
    await start('a', 'counts', 1_000);
    await start('poisoned', 'counts', 1);
    const others = Array.from({ length: 2 * ALONE_FIRST }, (_, index) => toInput('a', { kind: 'signal', name: 'add', input: 1 }, `other-${index}`));
    const poison = toInput('poisoned', { kind: 'signal', name: 'die' });
    let told: InputOutcome | undefined;
    for (let lives = 0; !told && lives < 8; lives++) {
      const answers = await Promise.allSettled([...others, poison].map((input) => shard.append([input])));
      const last = answers.at(-1)!;
      if (last.status === 'fulfilled') told = last.value[0];
      if (file.isDead) await open();
    }
    expect(told).toMatchObject({ kind: 'refused', problem: { code: 'internal' } });
    expect(deaths).toBe(5);
  });

  it('is found too where no client brings it, and what its run awaited is kept for the resume', async () => {
    for (const [id, isDeadly] of [['a', false], ['poisoned', true], ['b', false]] as const) await start(id, 'wakes', isDeadly);
    clock.advanceBy(1_000);
    for (let lives = 0; lives < 20 && (found('poisoned') as { status: string }).status === 'running'; lives++) {
      await shard.settled();
      if (file.isDead) await open();
      clock.advanceBy(1);
    }
    await shard.settled();
    expect(deaths).toBe(4);
    expect([found('a'), found('poisoned'), found('b')]).toMatchObject([{ status: 'completed' }, { status: 'suspended', suspended: { kind: 'refused' } }, { status: 'completed' }]);
    expect(new SqliteRunReader(file.db).history({ tenant: 'acme', workflowId: 'poisoned' }, { after: 0, limit: 10 })!.events.map(({ kind }) => kind)).toEqual(['started', 'timerStarted', 'timerFired', 'suspended']);
  });

  it('is not suspected for what a process lives through, nor after an end in order', async () => {
    await start('a', 'counts', 100);
    for (let lives = 0; lives < 5; lives++) {
      file.isDead = true;
      await open();
      // The try is counted, its commit fails, and the process goes on.
      file.failsAt = 2;
      await expect(shard.append([toInput('a', { kind: 'signal', name: 'add', input: 1 }, 'same')])).rejects.toMatchObject({ code: 'unavailable' });
    }
    file.isDead = true;
    await open();
    expect(await shard.append([toInput('a', { kind: 'signal', name: 'add', input: 1 }, 'same')])).toMatchObject([{ kind: 'accepted' }]);
    await shard.close();
    await open();
    const before = await shard.figures();
    await Promise.all(['x', 'y', 'z'].map((id) => shard.append([toInput('a', { kind: 'signal', name: 'add', input: 1 }, id)])));
    expect((await shard.figures()).batches - before.batches).toBe(1);
  });
});
