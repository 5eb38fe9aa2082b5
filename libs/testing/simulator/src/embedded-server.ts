import type { ExternalEvent, Input, Json } from '@perdure/contract';
import { EventTypes } from '@perdure/correlation';
import { EmbeddedShard } from '@perdure/embedded';
import type { Guards } from '@perdure/guards';
import { EventLog, Log, Queries, type Appended, type EventReceipt, type RunRef } from '@perdure/ingestion';
import type { Sandbox } from '@perdure/sandbox';
import { contentsOf, SqliteStateStore } from '@perdure/sqlite';
import { damaged } from './damage.js';
import type { Door } from './door.js';
import { EmbeddedEvidence } from './embedded-evidence.js';
import { EmbeddedDisk, SimShardFile } from './embedded-file.js';
import type { Faults } from './faults.js';
import type { HandOuts } from './hand-outs.js';
import { openDoor, PollingOutcomes } from './ingestion.js';
import type { Kernel } from './kernel.js';
import type { ShapeOptions } from './mesh.js';
import { REALMS, SNAPSHOT_KEY } from './node.js';
import type { Shape, SuspendedRun } from './shape.js';
import { SimProcess, unavailable } from './sim-process.js';
import { SimBundles, SimRealms } from './sim-realms.js';
import { TENANT, type Desk } from './worker.js';

const RESTART_MS_MAX = 3_000;

interface Life {
  readonly process: SimProcess;
  readonly file: SimShardFile;
  readonly shard: EmbeddedShard;
}

/** The standalone server's shard and its door, in one process over one file. */
export class EmbeddedServer implements Shape {
  readonly #kernel: Kernel;
  readonly #faults: Faults;
  readonly #guards: Guards;
  readonly #disk = new EmbeddedDisk();
  readonly #eventTypes = new EventTypes({ scan: { keys: { k: 'data.k' }, routingKey: 'k' } });
  readonly evidence = new EmbeddedEvidence(this.#disk);
  readonly desks: readonly Desk[];
  #life: Life | undefined;
  #doors: readonly Door[] = [];
  #lives = 0;

  private constructor({ kernel, faults, guards, handOuts }: ShapeOptions) {
    this.#kernel = kernel;
    this.#faults = faults;
    this.#guards = guards;
    this.desks = [this.#desk(handOuts)];
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
    const { count } = this.#disk.db.prepare("select count(*) as count from run where status = 'suspended'").get() as { count: number };
    return count === 0 ? [] : contentsOf(this.#disk.db).runs.flatMap(({ workflowId, runId, suspended }) => (suspended ? [{ workflowId, runId, reason: suspended }] : []));
  }

  async settle(): Promise<void> {
    await this.#life?.shard.settled();
  }

  close(): void {
    this.#life?.file.close();
    this.#disk.close();
  }

  async #start(): Promise<void> {
    const process = new SimProcess(this.#kernel, `server.${++this.#lives}`, this.#faults);
    const file = new SimShardFile(process, this.#disk, this.#guards);
    const realms = new SimRealms(() => undefined);
    const shard = await EmbeddedShard.open({
      file, bundles: new SimBundles(), sandbox: realms as unknown as Sandbox, clock: process.clock, random: () => this.#kernel.random.next(), snapshotKey: SNAPSHOT_KEY, limits: REALMS,
      onFatal: (error) => {
        this.#kernel.note(process.name, `ends: ${error.message}`);
        this.#crash();
      },
      log: (level, message, fields) => this.#kernel.note(process.name, `${level}: ${message} ${String(fields.code ?? fields.inputId ?? '')}`),
    });
    this.#life = { process, file, shard };
    this.#doors = [this.#openDoor(this.#life)];
    this.#kernel.note(process.name, `starts, epoch ${file.epoch}`);
  }

  /** The process is killed, or the power goes: what was synced is there again. */
  #crash(): void {
    const life = this.#life;
    if (!life) return;
    life.process.die();
    life.file.close();
    this.#life = undefined;
    this.#disk.loseUnsynced();
    this.#kernel.after(this.#kernel.random.int(10, RESTART_MS_MAX), () => void this.#start());
  }

  #ask<T>(run: (life: Life) => Promise<T>): Promise<T> {
    const life = this.#life;
    if (!life) return Promise.reject(unavailable());
    return new Promise((resolve, reject) => void life.process.after(0, () => run(life).then(resolve, reject)));
  }

  #desk(handOuts: HandOuts): Desk {
    return {
      poll: (request) =>
        this.#ask(async ({ shard }) => {
          const response = await shard.poll(TENANT, request);
          for (const task of response.tasks) handOuts.handedOut(task);
          return response;
        }),
      answer: (answers) =>
        this.#ask(async ({ shard, file }) => {
          const before = answers.map(({ token }) => handOuts.newest(token));
          const receipts = await shard.answer(TENANT, answers);
          for (const [index, { token, status }] of receipts.entries()) if (status === 'recorded') handOuts.recorded(token, { before: before[index], epoch: file.epoch });
          return receipts;
        }),
    };
  }

  #openDoor({ process, shard, file }: Life): Door {
    const store = new SqliteStateStore(file);
    const log = new (class extends Log {
      override async append(inputs: readonly Input[]): Promise<readonly Appended[]> {
        return (await shard.append(inputs)).map((outcome) => ({ kind: 'decided', outcome }));
      }
    })();
    const queries = new (class extends Queries {
      override query(ref: RunRef, query: { readonly name: string; readonly input?: Json }): Promise<{ readonly value?: Json }> {
        return shard.query({ ...ref, ...query });
      }
    })();
    const events = new (class extends EventLog {
      override append(list: readonly ExternalEvent[]): Promise<readonly EventReceipt[]> {
        return shard.publish(list);
      }
    })();
    return openDoor(process, this.#eventTypes, { log, queries, events, outcomes: new PollingOutcomes(process, async (ref) => (await store.findInput(ref))?.outcome) });
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
    again(() => faults.crashEveryMs, () => this.#crash());
    again(() => faults.stallEveryMs, () => {
      if (this.#life) this.#life.process.stalledUntil = this.#kernel.now + random.int(1, faults.stallMaxMs);
    });
    again(() => faults.outageEveryMs, () => {
      this.#disk.outUntil = this.#kernel.now + random.int(1, faults.outageMaxMs);
    });
    again(() => faults.clockJumpEveryMs, () => {
      if (this.#life) this.#life.process.skewMs += random.chance(0.5) ? random.int(1, 60_000) : -random.int(1, 3_000);
    });
    again(() => faults.damageEveryMs, () => this.#damage());
  }

  #damage(): void {
    const { random } = this.#kernel;
    const rows = this.#disk.db.prepare('select snapshot.run, snapshot.body, run.run_id as runId from snapshot join run on run.number = snapshot.run order by snapshot.run').all() as unknown as { run: number; body: Uint8Array; runId: string }[];
    if (rows.length === 0) return;
    const row = random.pick(rows);
    const body = damaged(row.body, random);
    if (!body) return;
    this.#disk.db.prepare('update snapshot set body = ? where run = ?').run(body, row.run);
    this.evidence.damaged.add(row.runId);
    this.#kernel.note('disk', `the snapshot of run ${row.run} is damaged`);
  }
}
