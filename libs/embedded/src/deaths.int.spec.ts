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
import { FileBatchNote, type InHand } from './batch-note.js';
import { EmbeddedShard } from './embedded-shard.js';
import type { Turns } from './turns.js';

const DEADLY = 'now the process dies';

const SOURCE = `
import { condition, onSignal, signal, signalRun, sleep } from '@perdure/sdk/workflow';
export const add = signal<number>('add');
export const die = signal<void>('die');

export async function counts(goal: number): Promise<number> {
  let sum = 0;
  onSignal(add, (n) => { sum += n; });
  onSignal(die, () => { console.log('${DEADLY}'); });
  await condition(() => sum >= goal);
  return sum;
}
export async function tells(workflowId: string): Promise<string> {
  await signalRun({ workflowId }, die);
  return 'told';
}
export async function wakes(isDeadly: boolean): Promise<string> {
  await sleep('1s');
  if (isDeadly) console.log('${DEADLY}');
  return 'awake';
}
`;

/** A process that has died commits nothing. `failsAt`, `diesAt`: in the transaction of that number from now on there is no room, or the process dies. */
class MortalFile extends ShardFile {
  isDead = false;
  failsAt = 0;
  diesAt = 0;

  override transaction<T>(write: () => T): T {
    if (this.diesAt-- === 1) this.isDead = true;
    if (this.isDead) throw new StoreFault('staleOwner', 'the process is dead');
    if (this.failsAt-- === 1) throw new StoreFault('unavailable', 'the disk is full');
    return super.transaction(write);
  }
}

/** …and notes nothing. */
class MortalNote extends FileBatchNote {
  readonly #file: MortalFile;

  constructor(file: MortalFile) {
    super(`${file.path}-running`, () => undefined);
    this.#file = file;
  }

  override write(inHand: InHand): void {
    if (!this.#file.isDead) super.write(inHand);
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
  let tried: number;
  const turns: Turns = {
    run: (work) => {
      tried += 1;
      return work();
    },
  };

  const open = async (): Promise<void> => {
    const mortal = new MortalFile({ path: join(folder, 'shard.db') });
    file = mortal;
    const sandbox = await Sandbox.create({ snapshotKey: new Uint8Array(32) });
    shard = await EmbeddedShard.open({
      file, bundles: new OneBundle(made), sandbox, clock, random: () => 0.5, snapshotKey: new Uint8Array(32), note: new MortalNote(mortal), turns,
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
    deaths = tried = 0;
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
    // Three times itself, until it is refused the fourth, and its neighbours once.
    expect(tried).toBe(4 + 2);
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

  it('is found as well when thousands come before it in each life', async () => {
    await start('a', 'counts', 1_000_000);
    await start('poisoned', 'counts', 1);
    const before = (lives: number): Input[] => Array.from({ length: 3_000 }, (_, index) => toInput('a', { kind: 'signal', name: 'add', input: 1 }, `other-${lives}-${index}`));
    const poison = toInput('poisoned', { kind: 'signal', name: 'die' });
    let told: InputOutcome | undefined;
    for (let lives = 0; !told && lives < 8; lives++) {
      const answers = await Promise.allSettled([...before(lives), poison].map((input) => shard.append([input])));
      const last = answers.at(-1)!;
      if (last.status === 'fulfilled') told = last.value[0];
      if (file.isDead) await open();
    }
    expect(told).toMatchObject({ kind: 'refused', problem: { code: 'internal' } });
    expect(deaths).toBe(4);
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

  it('is found too where another input of its batch brings it, which goes on', async () => {
    await start('poisoned', 'counts', 1);
    for (let lives = 0; lives < 8 && (found('poisoned') as { status: string }).status === 'running'; lives++) {
      await Promise.allSettled([start('teller', 'tells', 'poisoned')]);
      await shard.settled();
      if (file.isDead) await open();
    }
    expect([deaths, tried]).toEqual([4, 4]);
    expect(found('poisoned')).toMatchObject({ status: 'suspended', suspended: { kind: 'refused' } });
  });

  it('is not suspected for what a process lives through, nor after an end in order', async () => {
    await start('a', 'counts', 100);
    const same = (): Promise<unknown> => shard.append([toInput('a', { kind: 'signal', name: 'add', input: 1 }, 'same')]);
    for (let lives = 0; lives < 5; lives++) {
      file.diesAt = 1;
      await expect(same()).rejects.toMatchObject({ code: 'unavailable' });
      await open();
      // Its commit fails, and the process goes on.
      file.failsAt = 1;
      await expect(same()).rejects.toMatchObject({ code: 'unavailable' });
      expect(tried).toBe(lives + 1);
      file.isDead = true;
      await open();
    }
    expect(await same()).toMatchObject([{ kind: 'accepted' }]);
    expect(tried).toBe(5);
    await shard.close();
    await open();
    const before = await shard.figures();
    await Promise.all(['x', 'y', 'z'].map((id) => shard.append([toInput('a', { kind: 'signal', name: 'add', input: 1 }, id)])));
    expect((await shard.figures()).batches - before.batches).toBe(1);
  });

  it('is not looked for among what was committed when the process died', async () => {
    await start('a', 'counts', 100);
    const same = toInput('a', { kind: 'signal', name: 'add', input: 1 });
    await shard.append([same]);
    file.isDead = true;
    await open();
    expect(await shard.append([same])).toMatchObject([{ kind: 'accepted' }]);
    expect(tried).toBe(0);
  });

  it('is suspected through a death that was not its fault', async () => {
    await start('a', 'counts', 100);
    await start('poisoned', 'counts', 1);
    const poison = toInput('poisoned', { kind: 'signal', name: 'die' });
    const kill = async (): Promise<void> => {
      await Promise.allSettled([shard.append([poison])]);
      await open();
    };
    await kill();
    file.diesAt = 1;
    await Promise.allSettled([shard.append([toInput('a', { kind: 'signal', name: 'add', input: 1 })])]);
    await open();
    for (let lives = 0; lives < 3; lives++) await kill();
    expect(await shard.append([poison])).toMatchObject([{ kind: 'refused' }]);
    expect([deaths, tried]).toEqual([4, 4]);
  });
});
