import type { DatabaseSync } from 'node:sqlite';
import { BatchNote, type InHand } from '@perdure/embedded';
import type { Guards } from '@perdure/guards';
import { StoreFault } from '@perdure/history';
import { openShardDatabase, ShardFile } from '@perdure/sqlite';
import { INDIGESTIBLE } from './disk.js';
import { SharedConnection } from './shared-connection.js';
import type { SimProcess } from './sim-process.js';

const FULL = 2;
/** A disk that was not told to sync does so now and then. */
const SYNC_P = 0.05;
const OLD_NOTE_P = 0.5;

/** Databases that a seed before has done with. Only whole ones: what has lost its power is not used again. */
const spare: SharedConnection[] = [];

/** What outlives the server: a database in memory. What was not synced is lost with the power. */
export class EmbeddedDisk {
  readonly #guards: Guards;
  #connection: SharedConnection;
  /** Until when it takes nothing. */
  outUntil = 0;
  /** What the last process noted. */
  inHand: InHand | undefined;
  /** What would be left if the power went, where that is not all. */
  #synced: Uint8Array | undefined;

  constructor(guards: Guards) {
    this.#guards = guards;
    this.#connection = (guards.has('fsync') ? spare.pop() : undefined) ?? this.#open();
  }

  /** As it is now: another after the power went. */
  get db(): Pick<DatabaseSync, 'prepare'> {
    return this.#connection;
  }

  connect(): DatabaseSync {
    return this.#connection.lend();
  }

  get isSynchronous(): boolean {
    return (this.#connection.prepare('pragma synchronous').get() as { synchronous: number }).synchronous >= FULL;
  }

  /** After each commit, where not every one is synced. */
  committed(random: { chance(probability: number): boolean }): void {
    if (this.#synced === undefined || random.chance(SYNC_P)) this.#synced = this.#connection.db.serialize();
  }

  loseUnsynced(): void {
    // What was there is not closed: a shard of the dead process may be in the midst of reading it.
    if (this.#synced) this.#connection = this.#open(this.#synced);
  }

  close(): void {
    if (!this.isSynchronous) return this.#connection.db.close();
    this.#connection.reset();
    spare.push(this.#connection);
  }

  #open(image?: Uint8Array): SharedConnection {
    const db = openShardDatabase(':memory:', this.#guards);
    if (image) db.deserialize(image);
    db.exec(`create temp trigger heavy before insert on main.transition when instr(new.events, '${INDIGESTIBLE}') begin select raise(abort, 'a row cannot be stored'); end`);
    return new SharedConnection(db);
  }
}

/** Often it is out of date, and now and then it is believed all the same: who is suspected for nothing comes to no harm. */
class SimBatchNote extends BatchNote {
  readonly #process: SimProcess;
  readonly #disk: EmbeddedDisk;

  constructor(process: SimProcess, disk: EmbeddedDisk) {
    super();
    this.#process = process;
    this.#disk = disk;
  }

  override write(inHand: InHand): void {
    if (this.#process.isAlive) this.#disk.inHand = inHand;
  }

  override read(): InHand | undefined {
    const { inHand, db } = this.#disk;
    if (!inHand || !this.#process.kernel.random.chance(OLD_NOTE_P)) return inHand;
    return { names: inHand.names, ...(db.prepare('select cursor from shard').get() as { cursor: number }) };
  }

  override close(): void {
    // It is the disk's.
  }
}

interface World {
  readonly process: SimProcess;
  readonly disk: EmbeddedDisk;
}

/** A shard's file on that disk: commits fail, say neither yes nor no, and refuse what cannot be stored. */
export class SimShardFile extends ShardFile {
  readonly note: BatchNote;
  readonly #world: World;
  readonly #isSynchronous: boolean;

  constructor(process: SimProcess, disk: EmbeddedDisk, { shard, guards }: { readonly shard: number; readonly guards: Guards }) {
    super({ path: `disk-${shard}`, shard, guards, connect: () => disk.connect() });
    this.note = new SimBatchNote(process, disk);
    this.#isSynchronous = disk.isSynchronous;
    this.#world = { process, disk };
  }

  override transaction<T>(write: () => T): T {
    // The base class takes the epoch before there is a world.
    if (!(#world in this)) return super.transaction(write);
    const { process, disk } = this.#world;
    const { kernel, faults, name } = process;
    const { random } = kernel;
    if (!process.isAlive) throw new StoreFault('unavailable', 'the process is dead');
    if (disk.outUntil > kernel.now || random.chance(faults.storeUnavailableP)) {
      kernel.note(name, 'the disk is full');
      throw new StoreFault('unavailable', 'the disk is full');
    }
    if (random.chance(faults.storeUnknownNotP)) {
      kernel.note(name, 'unknown, and not committed');
      throw new StoreFault('commitUnknown', 'the disk failed');
    }
    const result = super.transaction(write);
    if (!this.#isSynchronous) disk.committed(random);
    kernel.note(name, 'committed');
    if (random.chance(faults.storeUnknownDoneP)) {
      kernel.note(name, 'unknown, and committed');
      throw new StoreFault('commitUnknown', 'the disk failed');
    }
    return result;
  }
}
