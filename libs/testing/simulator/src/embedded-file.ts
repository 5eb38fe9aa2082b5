import { DatabaseSync } from 'node:sqlite';
import { threadId } from 'node:worker_threads';
import type { Guards } from '@perdure/guards';
import { StoreFault } from '@perdure/history';
import { ShardFile } from '@perdure/sqlite';
import { INDIGESTIBLE } from './disk.js';
import { prepareOnce } from './prepare-once.js';
import type { SimProcess } from './sim-process.js';

const FULL = 2;
/** A disk that was not told to sync does so now and then. */
const SYNC_P = 0.05;

/** With the thread's number, distinct within the process, which shares them. They are in no trace. */
let files = 0;

/** What outlives the server: a database in memory, held open by a connection of its own. What was not synced is lost with the power. */
export class EmbeddedDisk {
  path = '';
  db!: DatabaseSync;
  /** Until when it takes nothing. */
  outUntil = 0;
  /** What would be left if the power went, where that is not all. */
  #synced: Uint8Array | undefined;

  constructor() {
    this.#create();
  }

  #create(): void {
    this.path = `file:simulated-${threadId}-${++files}?mode=memory&cache=shared`;
    this.db = prepareOnce(new DatabaseSync(this.path));
  }

  /** After each commit. */
  committed(random: { chance(probability: number): boolean }, synchronous: number): void {
    if (synchronous < FULL && (this.#synced === undefined || random.chance(SYNC_P))) this.#synced = this.db.serialize();
  }

  loseUnsynced(): void {
    if (!this.#synced) return;
    const before = this.db;
    const image = new DatabaseSync(':memory:');
    image.deserialize(this.#synced);
    this.#create();
    image.exec(`vacuum into '${this.path}'`);
    image.close();
    before.close();
  }

  close(): void {
    this.db.close();
  }
}

interface World {
  readonly process: SimProcess;
  readonly disk: EmbeddedDisk;
  readonly synchronous: number;
}

/** A shard's file on that disk: commits fail, say neither yes nor no, and refuse what cannot be stored. */
export class SimShardFile extends ShardFile {
  readonly #world: World;

  constructor(process: SimProcess, disk: EmbeddedDisk, { shard, guards }: { readonly shard: number; readonly guards: Guards }) {
    super({ path: disk.path, shard, guards });
    prepareOnce(this.db);
    const { synchronous } = this.db.prepare('pragma synchronous').get() as { synchronous: number };
    this.#world = { process, disk, synchronous };
    this.db.exec(`create temp trigger heavy before insert on main.transition when instr(new.events, '${INDIGESTIBLE}') begin select raise(abort, 'a row cannot be stored'); end`);
  }

  override transaction<T>(write: () => T): T {
    // The base class takes the epoch before there is a world.
    if (!(#world in this)) return super.transaction(write);
    const { process, disk, synchronous } = this.#world;
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
    disk.committed(random, synchronous);
    kernel.note(name, 'committed');
    if (random.chance(faults.storeUnknownDoneP)) {
      kernel.note(name, 'unknown, and committed');
      throw new StoreFault('commitUnknown', 'the disk failed');
    }
    return result;
  }
}
