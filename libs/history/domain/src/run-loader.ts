import { PerdureError, PROBLEMS, runKeyOf, type ActivationOutput, type CommandKind, type JobEvent, type Pin, type VoidReason } from '@perdure/contract';
import { checkStep, isCommand, jobsAt, replayPlan, type ActivationResult, type Difference, type Engine, type ReplayStep, type RunState } from '@perdure/engine';
import type { Guards } from '@perdure/guards';
import type { CachedRun } from './cached-run.js';
import type { BundleSource } from './ports/bundle-source.js';
import type { RunRef, RunRow, SnapshotRow, StoredTransition } from './ports/history-rows.js';
import type { Realm, RealmHost } from './ports/realm-host.js';
import type { StateStore } from './ports/state-store.js';
import type { RunCache } from './run-cache.js';
import { EMPTY_DIGEST } from './rolling-digest.js';
import { decodeUnder, type DecodedSnapshot } from './snapshot-codec.js';
import { withinDepth } from './within-depth.js';

export interface RunLoaderDeps {
  readonly engine: Engine;
  readonly store: StateStore;
  readonly bundles: BundleSource;
  readonly realms: RealmHost;
  readonly cache: RunCache;
  readonly snapshotKey: Uint8Array;
  readonly guards: Guards;
  readonly pageTransitions: number;
  readonly staged: Staged;
  /** Called before a realm is opened. */
  readonly makeRoom: () => void;
}

/** What the batch in hand has written and the store does not have yet. */
export interface Staged {
  transitions(run: number): readonly StoredTransition[];
  snapshot(run: number): SnapshotRow | undefined;
}

export interface RealmJob {
  readonly at: number;
  readonly job: JobEvent;
  readonly refusable: boolean;
}

const isRefused = (text: string): boolean => {
  if (!text.includes('"refused"')) return false;
  const output = toOutput(text);
  return typeof output !== 'string' && output.refused !== undefined;
};

interface Stranger {
  readonly commands?: unknown;
  readonly refused?: { readonly code?: unknown; readonly message?: unknown } | null;
  readonly logs?: unknown;
}

/** The bundle's runtime is the user's: it may answer anything. */
const toOutput = (text: string): ActivationOutput | string => {
  const output = parsed(text);
  if (typeof output !== 'object' || output === null) return 'it answered no object';
  const { commands, refused, logs } = output as Stranger;
  if (!Array.isArray(commands)) return 'it answered without commands';
  const stranger = commands.findIndex((each) => !isCommand(each));
  if (stranger >= 0) return `command ${stranger + 1} is not what its kind says: ${JSON.stringify(commands[stranger]).slice(0, SHOWN_CHARS)}`;
  if (refused !== undefined && !(typeof refused?.code === 'string' && isProblemCode(refused.code) && typeof refused.message === 'string')) return 'it refused without a known code and a message';
  if (logs !== undefined && !(Array.isArray(logs) && logs.every(isLog))) return 'its logs are none';
  return output as ActivationOutput;
};

const SHOWN_CHARS = 200;

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const isLog = (log: unknown): boolean => typeof log === 'object' && log !== null && 'text' in log && typeof log.text === 'string' && 'level' in log && typeof log.level === 'string';

const isProblemCode = (code: string): boolean => Object.hasOwn(PROBLEMS, code);

const CLOSING: ReadonlySet<string> = new Set<CommandKind>(['complete', 'fail', 'cancel', 'continueAsNew']);

/** Whether the run ends with it: jobs that a resume would run after it are not run. */
export const closes = ({ commands }: ActivationOutput): boolean => commands.some(({ kind }) => CLOSING.has(kind));

/** Hands a realm one job. A refusable one leaves no trace in the realm when it is refused. */
export const activate = (realm: Realm, { at, job, refusable }: RealmJob): ActivationResult => {
  const text = JSON.stringify({ ...job, at });
  const result = withinDepth(refusable ? realm.activateUnless(text, isRefused) : realm.activate(text));
  if (result.kind !== 'ok') return result;
  const output = toOutput(result.output);
  return typeof output === 'string' ? { kind: 'voided', reason: 'output', message: `the runtime in the bundle did not answer as it should: ${output}` } : { kind: 'ok', output };
};

/** Hands a realm what history says it was handed; gives where its code asks for something else. */
export const redo = (realm: Realm, step: ReplayStep): Difference | undefined => {
  const outputs: ActivationOutput[] = [];
  for (const job of step.jobs) {
    const result = activate(realm, job);
    if (result.kind === 'voided') return { n: job.n, diff: `the replay of event ${job.n} hit a limit (${result.reason satisfies VoidReason}): ${result.message}` };
    outputs.push(result.output);
    if (closes(result.output)) break;
  }
  return checkStep(step, outputs);
};

const redoAll = (realm: Realm, transitions: readonly StoredTransition[]): Difference | undefined => {
  for (const step of replayPlan(transitions)) {
    const difference = redo(realm, step);
    if (difference) return difference;
  }
  return undefined;
};

/** A realm that nobody has yet is gone when it cannot be made ready: the store may be away, or the machine have no memory. */
const orClose = async <T>(realm: Realm, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (thrown) {
    realm.close();
    throw thrown;
  }
};

/** Brings runs and their realms into memory: from the cache, else a snapshot and the events after it, else the whole history. All three lead to the same (I5, I7). */
export class RunLoader {
  readonly #deps: RunLoaderDeps;

  constructor(deps: RunLoaderDeps) {
    this.#deps = deps;
  }

  async find(ref: RunRef): Promise<CachedRun | undefined> {
    const { cache, store } = this.#deps;
    const cached = cache.find(ref);
    if (cached) return cached;
    const row = await store.findRun(ref);
    if (!row) return undefined;
    const known = ref.runId === undefined ? cache.find({ ...row }) : undefined;
    if (known) {
      cache.markNewest(known);
      return known;
    }
    const run = await this.#load(row);
    cache.add(run, ref.runId === undefined);
    return run;
  }

  /** A fresh realm for a run that starts. */
  async open(tenant: string, bundle: string): Promise<Realm> {
    await this.#ensureBundle(tenant, bundle);
    this.#deps.makeRoom();
    return this.#deps.realms.openRealm(bundle);
  }

  /** Puts a run back to what its history says, with what the batch in hand has staged: something went wrong in the middle of a step. */
  async reload(run: CachedRun): Promise<void> {
    this.#deps.cache.closeRealm(run);
    const { state, digest, parked } = await this.#load(run.row);
    Object.assign(run, { state, digest, parked });
  }

  /** The run's realm, at its last event; or where its code no longer follows its history. */
  async realm(run: CachedRun): Promise<Realm | Difference> {
    if (run.realm) return run.realm;
    const built = (await this.#fromSnapshot(run)) ?? (await this.#replay(run, run.state.pin));
    if ('activate' in built) this.#deps.cache.setRealm(run, built);
    return built;
  }

  /** Proves the whole history on another pin and makes the realm that comes of it the run's (I6). */
  async repin(run: CachedRun, pin: Pin): Promise<Realm | Difference> {
    const built = await this.#replay(run, pin);
    if (!('activate' in built)) return built;
    this.#deps.cache.closeRealm(run);
    this.#deps.cache.setRealm(run, built);
    return built;
  }

  async jobsAt(run: CachedRun, numbers: readonly number[]): Promise<JobEvent[]> {
    if (numbers.length === 0) return [];
    return jobsAt(await this.#transitions(run.number, Math.min(...numbers)), numbers);
  }

  async #load(row: RunRow): Promise<CachedRun> {
    const key = runKeyOf(row);
    const parked = await this.#snapshot(row);
    let state: RunState | undefined = parked?.state;
    let digest = parked?.digest ?? EMPTY_DIGEST;
    for (const transition of await this.#transitions(row.number, (parked?.last ?? 0) + 1)) {
      state = this.#deps.engine.evolve(state, transition);
      digest = transition.digest;
    }
    if (!state) throw new PerdureError('internal', `Run ${row.runId} has no history.`);
    return { key, number: row.number, state, row, digest, snapshotAt: parked?.last ?? 0, ...(parked ? { parked } : {}) };
  }

  async #snapshot(row: RunRow): Promise<DecodedSnapshot | undefined> {
    const { store, snapshotKey, realms, staged, guards } = this.#deps;
    const found = staged.snapshot(row.number) ?? (await store.findSnapshot(row.number));
    if (!found || found.pin.bundle !== row.pin.bundle || found.pin.sandbox !== realms.build) return undefined;
    const digest = await store.findDigest(row.number, found.last);
    // The tag binds the image to the history as the store has it: another one does not decode.
    return digest && decodeUnder({ key: snapshotKey, guards }, { run: runKeyOf(row), last: found.last, digest }, found.body);
  }

  async #fromSnapshot(run: CachedRun): Promise<Realm | undefined> {
    const parked = run.parked ?? (await this.#snapshot(run.row));
    if (!parked) return undefined;
    await this.#ensureBundle(run.row.tenant, run.state.pin.bundle);
    this.#deps.makeRoom();
    const realm = this.#deps.realms.restoreRealm(run.state.pin.bundle, parked.image);
    if (!realm) return undefined;
    // The run's state is at its last event: most often the snapshot is too, and there is nothing to read.
    const isLast = parked.last === run.state.lastEvent;
    const difference = await orClose(realm, async () => redoAll(realm, isLast ? [] : await this.#transitions(run.number, parked.last + 1)));
    if (!difference) return realm;
    // A snapshot is only a cache: whatever goes wrong with it, the history decides.
    realm.close();
    return undefined;
  }

  async #replay(run: CachedRun, pin: Pin): Promise<Realm | Difference> {
    const realm = await this.open(run.row.tenant, pin.bundle);
    const difference = await orClose(realm, async () => redoAll(realm, await this.#transitions(run.number, 1)));
    if (!difference) return realm;
    realm.close();
    return difference;
  }

  async #transitions(run: number, fromEvent: number): Promise<StoredTransition[]> {
    const { store, pageTransitions, staged } = this.#deps;
    const all: StoredTransition[] = [];
    for (let from = fromEvent; ; ) {
      const page = await store.transitions(run, { fromEvent: from, limit: pageTransitions });
      all.push(...page);
      const last = page.at(-1);
      if (!last || page.length < pageTransitions) break;
      from = last.first + last.events.length;
    }
    return [...all, ...staged.transitions(run).filter(({ first, events }) => first + events.length > fromEvent)];
  }

  async #ensureBundle(tenant: string, hash: string): Promise<void> {
    const { realms, bundles } = this.#deps;
    if (realms.hasBundle(hash)) return;
    const bundle = await bundles.find(tenant, hash);
    if (!bundle) throw new PerdureError('unknown-bundle', `Bundle ${hash} is not here.`);
    realms.loadBundle(bundle);
  }
}
