import { CompensationSlice } from '@perdure/compensation';
import { CorrelationSlice } from '@perdure/correlation';
import { isLogMismatch, LogArchiver, OneAtATime, serviceOf, SliceOwner, type SliceMachine, type SliceMap, type SliceName } from '@perdure/delivery';
import type { PerdureError } from '@perdure/contract';
import { Engine } from '@perdure/engine';
import type { Guards } from '@perdure/guards';
import { HistorySlice, type BundleSource, type RealmHost } from '@perdure/history';
import { deriveRunId, sha256Hex } from '@perdure/identity';
import { SchedulerSlice } from '@perdure/scheduler';
import type { Cluster } from './cluster.js';
import type { Disk } from './disk.js';
import { SimBus, SimCorrelationStore, SimLogArchive, simSagaStore, SimLogs, SimSliceStore, SimStateStore, simTaskStore, simTimerStore } from './ports.js';
import type { SimProcess } from './sim-process.js';

export const SNAPSHOT_KEY = new Uint8Array(32).fill(7);

/** Small, so that runs are evicted and come back all the time. */
export const REALMS = { realmsMax: 2, realmsInBatchMax: 3, runsMax: 4, snapshotEveryEvents: 6, pageTransitions: 3 };

/** Likewise: an owner soon gives a batch up. */
const LIMITS = { commitTriesMax: 3, batchWorksMax: 16 };

/** Likewise: segments of a few records, soon. */
const ARCHIVE = { segmentRecordsMax: 12, segmentAfterMs: 3_000, readRecordsMax: 5 };
const ARCHIVE_EVERY_MS = 2_000;

export interface NodeOptions {
  readonly process: SimProcess;
  readonly disk: Disk;
  readonly map: SliceMap;
  readonly cluster: Cluster;
  readonly guards: Guards;
  readonly realms: (process: SimProcess) => RealmHost;
  readonly bundles: BundleSource;
}

const hasLog = (slice: SliceName): boolean => serviceOf(slice) === 'history' || serviceOf(slice) === 'correlation';

export type Owner = SliceOwner<unknown, SliceMachine<unknown>>;

/** A node of the mesh: it owns slices of any service, by the same code. */
export class Node {
  readonly process: SimProcess;
  readonly #options: NodeOptions;
  readonly #owners = new Map<SliceName, Owner>();
  readonly #acquiring = new Set<SliceName>();
  readonly #logs: SimLogs;
  readonly #bus: SimBus;
  readonly #realms: RealmHost;
  readonly #suspects = new OneAtATime();

  constructor(options: NodeOptions) {
    this.#options = options;
    this.process = options.process;
    this.#logs = new SimLogs(options.process, options.disk);
    this.#bus = new SimBus(options.process, options.cluster);
    this.#realms = options.realms(options.process);
  }

  /** It believes so; another may have taken it since. */
  owner(slice: SliceName): Owner | undefined {
    const owner = this.#owners.get(slice);
    return this.process.isAlive && owner && !owner.isDown ? owner : undefined;
  }

  isAcquiring(slice: SliceName): boolean {
    return this.process.isAlive && this.#acquiring.has(slice);
  }

  acquire(slice: SliceName): void {
    if (this.#acquiring.has(slice) || this.owner(slice)) return;
    this.#acquiring.add(slice);
    void this.#open(slice).then(
      (owner) => {
        this.#acquiring.delete(slice);
        this.#owners.set(slice, owner);
        this.#archive(owner);
      },
      (error: unknown) => {
        this.#acquiring.delete(slice);
        this.process.kernel.note(this.process.name, `cannot own ${slice}: ${(error as Error).message}`);
        if ((error as { retryable?: boolean }).retryable !== true) this.process.kernel.violate('I3', `${slice} cannot be opened: ${(error as Error).stack}`);
      },
    );
  }

  release(slice: SliceName): void {
    this.process.after(0, () => void this.owner(slice)?.close().catch(() => undefined));
  }

  /** Behind an owner's back, also when it is a stale one that has not heard of it. */
  #archive(owner: Owner): void {
    const { process, disk, guards } = this.#options;
    const { kernel, name, clock, defer } = process;
    const { slice } = owner;
    if (!hasLog(slice)) return;
    const archive = new SimLogArchive(process, disk.archive);
    const archiver = new LogArchiver({ slice, archive, log: this.#logs.of(slice), committed: () => owner.position, clock, random: () => kernel.random.next(), defer, limits: ARCHIVE, guards });
    const failed = (error: PerdureError): void => {
      kernel.note(name, `cannot archive ${slice}: ${error.message}`);
      if (!error.retryable) kernel.violate('I1', `the log of ${slice} cannot be archived: ${error.message}`);
    };
    const stepLater = (): void => {
      if (owner.isDown) return;
      process.after(ARCHIVE_EVERY_MS, () => void archiver.step().catch(failed).then(stepLater));
    };
    stepLater();
  }

  async #open(slice: SliceName): Promise<Owner> {
    const { process, disk, guards } = this.#options;
    const { kernel, name } = process;
    return SliceOwner.open<unknown, SliceMachine<unknown>>({
      slice,
      store: new SimSliceStore(process, disk, slice),
      ...(hasLog(slice) ? { log: this.#logs.of(slice) } : {}),
      logs: this.#logs,
      bus: this.#bus,
      clock: process.clock,
      random: () => kernel.random.next(),
      defer: process.defer,
      guards,
      suspects: this.#suspects,
      limits: LIMITS,
      machine: (context) => this.#machine(slice, context) as Promise<SliceMachine<unknown>>,
      events: {
        steppedDown: (_, error) => {
          kernel.note(name, `steps down from ${slice}: ${error.message}`);
          if (isLogMismatch(error)) kernel.violate('I3', `nothing is wrong with its log: ${error.message}`);
        },
        takenBack: (_, error) => kernel.note(name, `${slice} takes a batch back: ${error.message}`),
        refused: (_, work, error) => kernel.note(name, `${slice} refuses ${work.kind === 'input' ? work.input.id : work.kind}: ${error.message}`),
      },
    });
  }

  async #machine(slice: SliceName, { epoch, wake }: { readonly epoch: number; readonly wake: () => void }): Promise<unknown> {
    const { process, disk, map, guards, bundles } = this.#options;
    const { clock, kernel } = process;
    switch (serviceOf(slice)) {
      case 'history': {
        const engine = new Engine({ deriveRunId, digest: sha256Hex, guards });
        return HistorySlice.open({
          deps: { engine, bundles, store: new SimStateStore(process, disk.history.get(slice)!), realms: this.#realms, events: { fault: (input, error) => kernel.note(process.name, `${slice} sets ${input.id} aside: ${error.message}`) } },
          epoch, map, guards, snapshotKey: SNAPSHOT_KEY, limits: REALMS,
        });
      }
      case 'scheduler':
        return SchedulerSlice.open({ tasks: simTaskStore(process, disk.tasks.get(slice)!), timers: simTimerStore(process, disk.timers.get(slice)!), clock, epoch, wake, guards, random: () => kernel.random.next(), map });
      case 'correlation':
        return CorrelationSlice.open({ store: new SimCorrelationStore(process, disk.correlation.get(slice)!), clock, wake, map });
      case 'compensation':
        return CompensationSlice.open(simSagaStore(process, disk.sagas.get(slice)!), map);
    }
  }
}
