import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { PerdureError, type Input, type RunKey } from '@perdure/contract';
import { Bus } from './bus.js';
import { Logs, type Log } from './log.js';
import type { Confirmation, Envelope, MessageBody, SliceName } from './message.js';
import { SliceMachine, type Outgoing, type SliceWork } from './slice-machine.js';
import { OneAtATime } from './one-at-a-time.js';
import { SliceOwner } from './slice-owner.js';
import type { SliceCommit } from './slice-store.js';
import { StoreFault, type StoreFaultKind } from './store-fault.js';
import { MemoryLog } from './testing/memory-log.js';
import { MemorySliceStore } from './testing/memory-slice-store.js';

const SLICE: SliceName = 'history/0';
const RUN: RunKey = { tenant: 't', workflowId: 'w', runId: 'r' };
const input = (id: string): Input => ({ id, tenant: 't', workflowId: 'w', at: 1, kind: 'signal', name: 's' });
const message = (workflowId: string): MessageBody => ({ to: 'scheduler', kind: 'dropRun', run: { ...RUN, workflowId } });
const nameOf = (work: SliceWork): string => (work.kind === 'input' ? work.input.id : work.kind === 'message' && work.body.to === 'scheduler' ? work.body.run.workflowId : work.kind);

/** Keeps the names of its works; sends one message for each. `bad` cannot be taken. */
class Names extends SliceMachine<readonly string[]> {
  #staged: string[] = [];
  #all: string[];
  isClosed = false;

  constructor(stored: readonly string[]) {
    super();
    this.#all = [...stored];
  }
  override async take(works: readonly SliceWork[]): Promise<readonly Outgoing[]> {
    const names = works.map(nameOf);
    this.#staged.push(...names);
    if (names.includes('bad')) throw new PerdureError('internal', 'cannot be taken');
    return names.map((name) => ({ destination: 'scheduler/0', body: message(name) }));
  }
  override async refuse(work: SliceWork): Promise<readonly Outgoing[]> {
    this.#staged.push(`refused ${nameOf(work)}`);
    return [];
  }
  override takeRows(): readonly string[] | undefined {
    return this.#staged.length > 0 ? [...this.#staged] : undefined;
  }
  override committed(): void {
    this.#all.push(...this.#staged.splice(0));
  }
  override async takeBack(): Promise<void> {
    this.#staged = [];
  }
  override linksOf(): object {
    return {};
  }
  override close(): void {
    this.isClosed = true;
  }
  get all(): readonly string[] {
    return this.#all;
  }
}

/** Commits as told: what the store says, and whether it is so. */
class FickleStore extends MemorySliceStore<readonly string[]> {
  readonly plan: { readonly say?: StoreFaultKind; readonly isDone: boolean }[] = [];
  readonly tried: SliceCommit<readonly string[]>[] = [];

  override async commit(commit: SliceCommit<readonly string[]>): Promise<void> {
    this.tried.push(commit);
    const { say, isDone } = this.plan.shift() ?? { isDone: true };
    if (isDone) await super.commit(commit);
    if (say) throw new StoreFault(say, say);
  }
}

class ListBus extends Bus {
  readonly sent: Envelope[] = [];
  readonly confirmed: Confirmation[] = [];
  override send(envelope: Envelope): void {
    this.sent.push(envelope);
  }
  override confirm(confirmation: Confirmation): void {
    this.confirmed.push(confirmation);
  }
}

class OneLog extends Logs {
  readonly #log: Log;
  constructor(log: Log) {
    super();
    this.#log = log;
  }
  override of(): Log {
    return this.#log;
  }
}

describe('The owner of a slice', () => {
  let stored: string[];
  let store: FickleStore;
  let log: MemoryLog;
  let bus: ListBus;
  let clock: ManualClock;
  let down: string[];
  let batches: string[];
  let queue: (() => void)[];

  const settle = async (): Promise<void> => {
    for (let idle = 0; idle < 2; ) {
      const run = queue.shift();
      run?.();
      idle = run ? 0 : idle + 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const advance = async (ms: number): Promise<void> => {
    const until = clock.now() + ms;
    for (let next = clock.next(); next !== undefined && next <= until; next = clock.next()) {
      clock.advanceTo(next);
      await settle();
    }
    clock.advanceTo(until);
  };
  const open = async (suspects = new OneAtATime()): Promise<SliceOwner<readonly string[], Names>> => {
    const owner = await SliceOwner.open<readonly string[], Names>({
      slice: SLICE, store, log, logs: new OneLog(log), bus, clock, suspects,
      random: () => 1,
      machine: async () => new Names(stored),
      defer: (run) => void queue.push(run),
      events: { steppedDown: (_, error) => void down.push(error.message) },
      batches: { committed: ({ works, isWritten }) => void batches.push(`committed ${works}${isWritten ? '' : ', unwritten'}`), takeBack: () => void batches.push('taken back') },
    });
    await settle();
    return owner;
  };
  const append = async (...ids: string[]): Promise<void> => {
    await log.append(ids.map((id) => ({ body: { kind: 'input', input: input(id) } })));
    await settle();
  };
  const envelope = (numbers: readonly number[], mark = 1): Envelope => ({ source: 'scheduler/0', destination: SLICE, mark, messages: numbers.map((number) => ({ number, body: message(`m${number}`) })) });

  beforeEach(() => {
    stored = [];
    store = new FickleStore((rows) => void stored.push(...rows));
    log = new MemoryLog('log-1');
    bus = new ListBus();
    clock = new ManualClock();
    down = [];
    batches = [];
    queue = [];
  });

  it('commits what it read, what it sends and where it is in one transaction, and sends after it', async () => {
    await append('a', 'b');
    const owner = await open();
    expect(stored).toEqual(['a', 'b']);
    expect(store.log).toMatchObject({ identity: 'log-1', offset: 2 });
    expect(bus.sent.map(({ messages }) => messages.map(({ number }) => number))).toEqual([[1, 2]]);
    owner.confirm({ source: SLICE, destination: 'scheduler/0', numbers: [1, 2] });
    await advance(1_000);
    expect(store.outbox.size).toBe(0);
  });

  it('tells who watches its batches what became of each', async () => {
    await open();
    batches = [];
    await append('a', 'aa');
    expect(batches).toEqual(['committed 2']);
    store.plan.push({ say: 'contentRefused', isDone: false });
    await append('b');
    // Its refusal is committed in its place.
    expect(batches).toEqual(['committed 2', 'taken back', 'committed 1']);
  });

  it('counts neither a repeat nor a transaction that was not needed', async () => {
    const owner = await open();
    owner.receive(envelope([1]));
    await settle();
    batches = [];
    owner.receive(envelope([1]));
    await settle();
    expect(batches).toEqual(['committed 0, unwritten']);
  });

  it('tells that the batch of a stale owner was not committed', async () => {
    await open();
    batches = [];
    await store.takeOver(store.epochNow);
    await append('a');
    expect([batches, down]).toEqual([['taken back'], [expect.stringContaining('epoch 2')]]);
  });

  it('is a stale owner, and its log is sound, when another has trimmed what it has not read', async () => {
    const owner = await open();
    await store.takeOver(store.epochNow);
    log.begin = 2;
    await append('a', 'b', 'c');
    expect([down, owner.isDown]).toEqual([[expect.stringContaining('epoch 2')], true]);
  });

  it('does not open, and its log is sound, when another has taken the slice meanwhile and trimmed its log', async () => {
    await append('a', 'b', 'c');
    await (await open()).close();
    log.describe = async () => {
      await store.takeOver(store.epochNow);
      log.begin = 3;
      return { identity: log.identity, begin: 3, end: 4 };
    };
    await expect(open()).rejects.toMatchObject({ name: 'StepDown', message: expect.stringContaining('is at epoch 3') });
  });

  it('steps down by the name of what is wrong with its log, if it is an owner still', async () => {
    const owner = await open();
    log.begin = 2;
    store.epoch = () => Promise.reject(new StoreFault('unavailable', 'away'));
    await append('a', 'b', 'c');
    // Nobody can tell yet.
    expect(owner.isDown).toBe(false);
    store.epoch = () => MemorySliceStore.prototype.epoch.call(store);
    await advance(1_000);
    expect(down).toEqual([expect.stringContaining('begins at 2')]);
  });

  it('knows how much waits for a batch, also while its log does not answer', async () => {
    const owner = await open();
    await append('a');
    expect(await owner.waiting()).toBe(0);
    queue.push = () => 0;
    owner.receive(envelope([1, 2]));
    await log.append([{ body: { kind: 'input', input: input('b') } }]);
    expect(await owner.waiting()).toBe(3);
    log.describe = () => Promise.reject(new PerdureError('unavailable', 'away'));
    expect(await owner.waiting()).toBe(3);
  });

  it('takes each message once, and confirms repeats too', async () => {
    const owner = await open();
    owner.receive(envelope([2, 1]));
    await settle();
    owner.receive(envelope([1, 2, 3]));
    await settle();
    expect(stored).toEqual(['m2', 'm1', 'm3']);
    expect(bus.confirmed.map(({ numbers }) => numbers)).toEqual([[2, 1], [1, 2, 3]]);
  });

  it('that is stale cannot commit, steps down, and lets the machine go', async () => {
    const [first, second] = [await open(), await open()];
    await append('a');
    expect(stored).toEqual(['a']);
    expect([first.isDown, first.machine.isClosed, second.isDown]).toEqual([true, true, false]);
    expect(down).toEqual(['the slice is at epoch 2; the batch was made at epoch 1']);
  });

  it('that is stale and idle learns of it by itself', async () => {
    const [first] = [await open(), await open()];
    await advance(10_000);
    expect(first.isDown).toBe(true);
  });

  it.each([
    ['had happened', true],
    ['had not', false],
  ])('reads the row anew when the outcome is unknown: it %s', async (_, isDone) => {
    await open();
    store.plan.push({ say: 'commitUnknown', isDone });
    await append('a');
    await advance(100);
    expect(stored).toEqual(['a']);
    expect(store.cursor).toBe(1);
    await append('b');
    expect(stored).toEqual(['a', 'b']);
  });

  it('tries only the identical transaction again, and steps down rather than take back what may land later', async () => {
    const owner = await open();
    store.plan.push({ say: 'commitUnknown', isDone: false }, ...Array.from({ length: 20 }, () => ({ say: 'unavailable' as const, isDone: false })));
    await append('a');
    await append('b');
    await advance(60_000);
    expect(owner.isDown).toBe(true);
    expect(new Set(store.tried).size).toBe(1);
    expect(stored).toEqual([]);
  });

  it('takes a batch back when the store is away, and does it again later', async () => {
    await open();
    store.plan.push(...Array.from({ length: 12 }, () => ({ say: 'unavailable' as const, isDone: false })));
    await append('a');
    await advance(60_000);
    expect(stored).toEqual(['a']);
  });

  it('tries a batch that is refused by its content work by work, and refuses the one at fault', async () => {
    await append('a', 'bad', 'b');
    await open();
    expect(stored).toEqual(['a', 'refused bad', 'b']);
    expect(store.log).toMatchObject({ offset: 3 });
  });

  it('goes on without a work that not even its refusal can be stored of', async () => {
    await open();
    store.plan.push({ say: 'contentRefused', isDone: false }, { say: 'contentRefused', isDone: false });
    await append('a');
    await append('b');
    expect(stored).toEqual(['b']);
  });

  it('is careful after an unclean death: what has ended three owners is refused', async () => {
    await open();
    // By three owners that are dead.
    store.tries.set('@0', new Set([-1, -2, -3]));
    await log.append([{ body: { kind: 'input', input: input('deadly') } }, { body: { kind: 'input', input: input('a') } }]);
    queue = [];
    await open();
    expect(stored).toEqual([]);
    // An owner that dies now has not died of it: it only waits whether the others are dead.
    expect(store.tries.get('@0')!.size).toBe(3);
    await advance(10_000);
    expect(stored).toEqual(['refused deadly', 'a']);
    expect(store.tries.size).toBe(0);
  });

  it('refuses nothing for owners that turn out to live', async () => {
    await open();
    store.tries.set('@0', new Set([-1, -2, -3]));
    await log.append([{ body: { kind: 'input', input: input('a') } }]);
    queue = [];
    await open();
    await store.survived(-2, '@0');
    await advance(10_000);
    expect(stored).toEqual(['a']);
  });

  it('tries what is suspected while its process tries no other suspect, and counts it no sooner', async () => {
    await open();
    store.tries.set('@0', new Set([-1]));
    await log.append([{ body: { kind: 'input', input: input('suspected') } }, { body: { kind: 'input', input: input('a') } }]);
    queue = [];
    const suspects = new OneAtATime();
    const other = Promise.withResolvers<void>();
    void suspects.run(() => other.promise);
    await open(suspects);
    // If the other one kills the process now, this one is not to blame.
    expect([stored, store.tries.get('@0')!.size]).toEqual([[], 1]);
    other.resolve();
    await settle();
    expect(stored).toEqual(['suspected', 'a']);
  });

  it('does not count a try that its owner lived through', async () => {
    await open();
    await log.append([{ body: { kind: 'input', input: input('a') } }]);
    queue = [];
    store.plan.push(...Array.from({ length: 40 }, () => ({ say: 'unavailable' as const, isDone: false })));
    await open();
    await advance(120_000);
    expect(stored).toEqual(['a']);
  });

  it('that let go leaves nothing to be careful about', async () => {
    await (await open()).close();
    expect((await store.head()).isClean).toBe(true);
    expect((await open()).epoch).toBe(2);
  });

  it.each<[string, (log: MemoryLog) => void, string]>([
    ['is shorter', (each) => each.cut(1), 'ends at 1, and 2 records were consumed'],
    ['is another', (each) => (each.identity = 'log-2'), 'is log-2, and log-1 was consumed'],
    ['has another record', (each) => (each.cut(1), each.write([{ body: { kind: 'input', input: input('c') } }])), 'has record log-1:3 at 1, and log-1:2 was consumed'],
  ])('stops by name when the log %s', async (_, change, why) => {
    await append('a', 'b');
    await open();
    change(log);
    await expect(open()).rejects.toThrow(`The log of history/0 ${why}`);
  });

  it('reads after all that was in the log when it was asked, and not once it is stale', async () => {
    const owner = await open();
    await log.append([{ body: { kind: 'input', input: input('a') } }]);
    const seen = owner.read(async ({ all }) => all.length);
    await settle();
    expect(await seen).toBe(1);
    await open();
    const late = expect(owner.read(async ({ all }) => all.length)).rejects.toMatchObject({ code: 'not-owner' });
    await settle();
    await late;
  });
});
