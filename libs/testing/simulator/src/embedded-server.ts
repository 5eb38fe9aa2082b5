import type { ExternalEvent, Input, Json, SuspendReason } from '@perdure/contract';
import { EventTypes } from '@perdure/correlation';
import { EmbeddedShard, ShardedGateway, ShardMap, type PortBus, type ShardGateway } from '@perdure/embedded';
import { OneAtATime } from '@perdure/delivery';
import type { Guards } from '@perdure/guards';
import { EventLog, Log, Queries, type Appended, type EventReceipt, type RunRef } from '@perdure/ingestion';
import type { Sandbox } from '@perdure/sandbox';
import { SqliteStateStore } from '@perdure/sqlite';
import { damaged } from './damage.js';
import type { Door } from './door.js';
import { EmbeddedEvidence } from './embedded-evidence.js';
import { EmbeddedDisk, SimShardFile } from './embedded-file.js';
import { connect } from './embedded-ports.js';
import type { Faults } from './faults.js';
import type { HandOuts } from './hand-outs.js';
import { openDoor, PollingOutcomes } from './ingestion.js';
import type { Kernel } from './kernel.js';
import type { ShapeOptions } from './mesh.js';
import { REALMS, SNAPSHOT_KEY } from './node.js';
import type { Shape, SuspendedRun } from './shape.js';
import { SimProcess, unavailable } from './sim-process.js';
import { SimBundles, SimRealms } from './sim-realms.js';
import type { Desk } from './worker.js';

const RESTART_MS_MAX = 3_000;

/** As `toRunRow` has it, without the other rows. */
const SUSPENDED = "select tenant, workflow_id as workflowId, run_id as runId, body -> '$.suspended' as reason from run where status = 'suspended' order by number";

interface Life {
  readonly process: SimProcess;
  readonly files: readonly SimShardFile[];
  readonly shards: readonly EmbeddedShard[];
  readonly gateway: ShardGateway;
}

/** The standalone server's shards, each over its own file, and its door, in one process. */
export class EmbeddedServer implements Shape {
  readonly #kernel: Kernel;
  readonly #faults: Faults;
  readonly #guards: Guards;
  readonly #handOuts: HandOuts;
  readonly #disks: readonly EmbeddedDisk[];
  /** Shards of dead processes, until their files are closed. */
  readonly #dying = new Set<EmbeddedShard>();
  /** The shards of a process that ends in order. */
  #ending: Promise<void> | undefined;
  readonly #map: ShardMap;
  readonly #turns = new OneAtATime();
  readonly #eventTypes = new EventTypes({ scan: { keys: { k: 'data.k' }, routingKey: 'k' } });
  readonly evidence: EmbeddedEvidence;
  readonly desks: readonly Desk[];
  #life: Life | undefined;
  #doors: readonly Door[] = [];
  #lives = 0;

  private constructor({ kernel, faults, guards, handOuts }: ShapeOptions) {
    this.#kernel = kernel;
    this.#faults = faults;
    this.#guards = guards;
    this.#map = new ShardMap(kernel.random.int(1, 2));
    this.#disks = Array.from({ length: this.#map.count }, () => new EmbeddedDisk(guards));
    this.evidence = new EmbeddedEvidence(this.#disks);
    this.#handOuts = handOuts;
    this.desks = [this.#desk()];
  }

  static async open(options: ShapeOptions): Promise<EmbeddedServer> {
    const server = new EmbeddedServer(options);
    await server.#start();
    server.#misbehave();
    return server;
  }

  doors(): readonly Door[] {
    return this.#doors;
  }

  suspended(): readonly SuspendedRun[] {
    return this.#disks.flatMap(({ db }) => (db.prepare(SUSPENDED).all() as unknown as (Omit<SuspendedRun, 'reason'> & { readonly reason: string })[]).map((run) => ({ ...run, reason: JSON.parse(run.reason) as SuspendReason })));
  }

  async settle(): Promise<void> {
    await this.#ending;
    for (const shard of [...(this.#life?.shards ?? []), ...this.#dying]) await shard.settled();
  }

  close(): void {
    for (const file of this.#life?.files ?? []) file.close();
    for (const disk of this.#disks) disk.close();
  }

  async #start(): Promise<void> {
    const process = new SimProcess(this.#kernel, `server.${++this.#lives}`, this.#faults);
    const files = this.#disks.map((disk, shard) => new SimShardFile(process, disk, { shard, guards: this.#guards }));
    const buses = connect(process, files.length);
    const shards: EmbeddedShard[] = [];
    for (const [index, file] of files.entries()) shards.push(await this.#openShard({ process, file, bus: buses[index]! }));
    if (!process.isAlive) return;
    const gateway = shards.length === 1 ? shards[0]! : new ShardedGateway({ shards, map: this.#map });
    this.#life = { process, files, shards, gateway };
    this.#doors = [this.#openDoor(this.#life)];
    this.#kernel.note(process.name, `starts with ${files.length} shards, epoch ${files[0]!.epoch}`);
  }

  async #openShard({ process, file, bus }: { readonly process: SimProcess; readonly file: SimShardFile; readonly bus: PortBus }): Promise<EmbeddedShard> {
    const sandbox = new SimRealms(() => this.#crash(process)) as unknown as Sandbox;
    const shard = await EmbeddedShard.open({
      file, sandbox, bundles: new SimBundles(), clock: process.clock, random: () => this.#kernel.random.next(), snapshotKey: SNAPSHOT_KEY, limits: REALMS, note: file.note, turns: this.#turns,
      ...(this.#map.count > 1 ? { peers: { map: this.#map, bus } } : {}),
      onFatal: (error) => {
        this.#kernel.note(process.name, `shard ${file.shard} ends: ${error.message}`);
        this.#crash(process);
      },
      log: (level, message, fields) => this.#kernel.note(process.name, `shard ${file.shard} ${level}: ${message} ${String(fields.code ?? fields.inputId ?? '')}`),
    });
    watch(shard, this.#handOuts, file.epoch);
    return shard;
  }

  /** The process is killed, or the power goes: what was synced is there again. */
  #crash(process = this.#life?.process): void {
    const life = this.#life;
    if (!life || life.process !== process) return;
    life.process.die();
    // A dead process commits nothing; a shard of it that was in the midst of a batch comes to rest before its file is gone.
    for (const shard of life.shards) this.#dying.add(shard);
    this.#kernel.after(10, () => {
      for (const shard of life.shards) this.#dying.delete(shard);
      for (const file of life.files) file.close();
    });
    this.#life = undefined;
    for (const disk of this.#disks) disk.loseUnsynced();
    this.#kernel.after(this.#kernel.random.int(10, RESTART_MS_MAX), () => void this.#start());
  }

  /** It is told to end: what is in hand is finished, and the next process need not be careful. */
  #end(): void {
    const life = this.#life;
    if (!life) return;
    this.#life = undefined;
    this.#kernel.note(life.process.name, 'ends in order');
    this.#ending = Promise.all(life.shards.map((shard) => shard.close())).then(() => {
      life.process.die();
      this.#ending = undefined;
      this.#kernel.after(this.#kernel.random.int(10, RESTART_MS_MAX), () => void this.#start());
    });
  }

  #ask<T>(run: (life: Life) => Promise<T>): Promise<T> {
    const life = this.#life;
    if (!life) return Promise.reject(unavailable());
    return new Promise((resolve, reject) => void life.process.after(0, () => run(life).then(resolve, reject)));
  }

  #desk(): Desk {
    return {
      poll: (tenant, request) => this.#ask(({ gateway }) => gateway.poll(tenant, request)),
      answer: (tenant, answers) => this.#ask(({ gateway }) => gateway.answer(tenant, answers)),
      heartbeat: (tenant, requests) => this.#ask(({ gateway }) => gateway.heartbeat(tenant, requests)),
    };
  }

  #openDoor({ process, gateway, files }: Life): Door {
    const stores = files.map((file) => new SqliteStateStore(file));
    const log = new (class extends Log {
      override async append(inputs: readonly Input[]): Promise<readonly Appended[]> {
        return (await gateway.append(inputs)).map((outcome) => ({ kind: 'decided', outcome }));
      }
    })();
    const queries = new (class extends Queries {
      override query(ref: RunRef, query: { readonly name: string; readonly input?: Json }): Promise<{ readonly value?: Json }> {
        return gateway.query({ ...ref, ...query });
      }
    })();
    const events = new (class extends EventLog {
      override append(list: readonly ExternalEvent[]): Promise<readonly EventReceipt[]> {
        return gateway.publish(list);
      }
    })();
    return openDoor(process, this.#eventTypes, { log, queries, events, outcomes: new PollingOutcomes(process, (ref) => stores[this.#map.shardOf(ref.tenant, ref.workflowId)]!.findInput(ref)) });
  }

  #misbehave(): void {
    const { random } = this.#kernel;
    const again = (everyMs: () => number, run: () => void): void => {
      const mean = everyMs();
      if (mean === Infinity) return;
      this.#kernel.after(random.int(1, 2 * mean), () => {
        if (everyMs() === Infinity) return;
        run();
        again(everyMs, run);
      });
    };
    const faults = this.#faults;
    again(() => faults.crashEveryMs, () => (random.chance(0.25) ? this.#end() : this.#crash()));
    again(() => faults.stallEveryMs, () => {
      if (this.#life) this.#life.process.stalledUntil = this.#kernel.now + random.int(1, faults.stallMaxMs);
    });
    again(() => faults.outageEveryMs, () => {
      random.pick(this.#disks).outUntil = this.#kernel.now + random.int(1, faults.outageMaxMs);
    });
    again(() => faults.clockJumpEveryMs, () => {
      if (this.#life) this.#life.process.skewMs += random.chance(0.5) ? random.int(1, 60_000) : -random.int(1, 3_000);
    });
    again(() => faults.damageEveryMs, () => this.#damage());
  }

  #damage(): void {
    const { random } = this.#kernel;
    const { db } = random.pick(this.#disks);
    const rows = db.prepare('select snapshot.run, run.run_id as runId from snapshot join run on run.number = snapshot.run order by snapshot.run').all() as unknown as { run: number; runId: string }[];
    if (rows.length === 0) return;
    const row = random.pick(rows);
    const body = damaged((db.prepare('select body from snapshot where run = ?').get(row.run) as { body: Uint8Array }).body, random);
    if (!body) return;
    db.prepare('update snapshot set body = ? where run = ?').run(body, row.run);
    this.evidence.damaged.add(row.runId);
    this.#kernel.note('disk', `the snapshot of run ${row.run} is damaged`);
  }
}

/** Notes what the shard itself hands out and records, whoever asks it for whom. */
function watch(shard: EmbeddedShard, handOuts: HandOuts, epoch: number): void {
  const [poll, answer, heartbeat] = [shard.poll.bind(shard), shard.answer.bind(shard), shard.heartbeat.bind(shard)];
  shard.poll = async (...args) => {
    const response = await poll(...args);
    for (const task of response.tasks) handOuts.handedOut(args[0], task);
    return response;
  };
  shard.answer = async (tenant, answers) => {
    const before = answers.map(({ token }) => handOuts.newest(token));
    const receipts = await answer(tenant, answers);
    for (const [index, receipt] of receipts.entries()) handOuts.answered(answers[index]!, receipt, { before: before[index], epoch });
    return receipts;
  };
  shard.heartbeat = (tenant, requests) => {
    handOuts.beaten(requests);
    return heartbeat(tenant, requests);
  };
}
