import type { BundleInput } from '@perdure/bundler';
import { ManualClock } from '@perdure/clock';
import { LIMITS } from '@perdure/contract';
import { EmbeddedShard } from '@perdure/embedded';
import { Sandbox } from '@perdure/sandbox';
import { Client, durationMs, type Duration, type NewEvent } from '@perdure/sdk/client';
import type { ActivitySource } from '@perdure/sdk/node';
import { ShardFile, SqliteRunReader } from '@perdure/sqlite';
import { ActivityHost } from './activity-host.js';
import { Timeline } from './timeline.js';
import { WorldBundle } from './world-bundle.js';
import { WorldServer } from './world-server.js';

export interface TestWorldOptions {
  /** Path of the module that exports the workflows; or its text. */
  readonly workflows: string | BundleInput;
  /** Real ones (`import * as carrier from …`) or fakes; default none. */
  readonly activities?: ActivitySource | readonly ActivitySource[];
  /** Default `test`. */
  readonly tenant?: string;
  /** The world's time at its beginning; default some moment in November 2023. */
  readonly startAt?: Date;
  /** An activity that has not ended after so many real milliseconds hangs: time goes on without it. Default 1,000. */
  readonly patienceMs?: number;
}

/** Random but the same in every run: jitter must not make a test flicker. */
const RANDOM = 0.5;
const KEY_BYTES = 32;

/**
 * A whole server and its worker in memory, in a time of its own that is skipped whenever nothing is left to do.
 *
 * @example
 * const world = await TestWorld.create({ workflows: 'src/deliver.workflow.ts', activities: carrier });
 * const run = await world.start(deliver, { workflowId: 'order-7', input: order });
 * await expect(run.result()).rejects.toThrow('timed out'); // seven days later, in milliseconds
 * await world.close();
 */
export class TestWorld {
  /** For code under test that takes a client. */
  readonly client: Client;
  /** Starts a workflow by its function or its name. `result()` of what it gives skips time. */
  readonly start: Client['start'];
  readonly #shard: EmbeddedShard;
  readonly #sandbox: Sandbox;
  readonly #timeline: Timeline;
  readonly #clock: ManualClock;

  private constructor(parts: { readonly client: Client; readonly shard: EmbeddedShard; readonly sandbox: Sandbox; readonly timeline: Timeline; readonly clock: ManualClock }) {
    this.client = parts.client;
    this.start = parts.client.start.bind(parts.client) as Client['start'];
    this.#shard = parts.shard;
    this.#sandbox = parts.sandbox;
    this.#timeline = parts.timeline;
    this.#clock = parts.clock;
  }

  /** @throws PerdureError `bundle-invalid` */
  static async create({ workflows, activities = {}, tenant = 'test', startAt, patienceMs = 1_000 }: TestWorldOptions): Promise<TestWorld> {
    const bundle = await WorldBundle.make(workflows);
    const snapshotKey = new Uint8Array(KEY_BYTES);
    const sandbox = await Sandbox.create({ snapshotKey });
    const file = ShardFile.inMemory();
    const clock = new ManualClock(startAt?.getTime());
    const shard = await EmbeddedShard.open({ file, bundles: bundle, stacks: bundle.stacks, sandbox, clock, random: () => RANDOM, snapshotKey, retentionMs: LIMITS.durationMsMax });
    const host = new ActivityHost({ shard, tenant, activities, patienceMs });
    const timeline = new Timeline({ file, shard, host, clock });
    const server = new WorldServer({ shard, reader: new SqliteRunReader(file.db), timeline, clock, tenant, bundle: bundle.hash, host });
    const client = new Client({ tenant, transport: (request) => server.answer(request), retryFor: 0 });
    return new TestWorld({ client, shard, sandbox, timeline, clock });
  }

  /** The world's time. */
  now(): Date {
    return new Date(this.#clock.now());
  }

  /** Publishes an external event for runs that `receive` it. */
  publish(event: NewEvent): Promise<'accepted' | 'duplicate'> {
    return this.client.publish(event);
  }

  /** Lets so much of the world's time pass, and all happen that is due on the way. */
  sleep(duration: Duration): Promise<void> {
    return this.#timeline.sleep(durationMs(duration));
  }

  /** Until nothing is left to do without time passing. */
  settled(): Promise<void> {
    return this.#timeline.settled();
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.#shard.close();
    this.#sandbox.dispose();
  }
}
