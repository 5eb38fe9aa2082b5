import { isDeepStrictEqual } from 'node:util';
import type { Input } from '@perdure/contract';
import { SandboxRealms } from '@perdure/hosting';
import { BundleSource, ShardProcessor, SoleOwner, type BundleCode, type RunRow, type StackMapper, type TransitionRow } from '@perdure/history';
import { Sandbox } from '@perdure/sandbox';
import { contentsOf, ShardFile, SqliteStateStore, type ShardContents } from '@perdure/sqlite';
import { nameOf, shown, type Finding } from './finding.js';
import { engine, type FoldedRun } from './folded-run.js';
import { inputOf } from './input-of.js';
import { ACTIVATION_MS } from './limits.js';

class PinnedBundles extends BundleSource {
  readonly #deps: RerunDeps;
  constructor(deps: RerunDeps) {
    super();
    this.#deps = deps;
  }
  override find(tenant: string, hash: string): Promise<BundleCode | undefined> {
    const found = this.#deps.code(tenant, hash);
    return Promise.resolve(found && { workflows: [], ...found });
  }
  override defaultFor(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }
}

/** How the inputs are cut into batches: so many at a time, again and again. */
export type BatchSizes = readonly [number, ...number[]];

/** I9 for a proof: live realms that it holds at a time; beyond it they are evicted, and come back from snapshots. */
const REALMS_MAX = 200;

export interface RerunDeps {
  readonly snapshotKey: Uint8Array;
  readonly stacks?: StackMapper;
  code(tenant: string, hash: string): { readonly hash: string; readonly code: string } | undefined;
}

/**
 * The store built anew from the log alone: the inputs that the transitions were, in the order of their commits, are given to an empty shard, in batches of other
 * sizes than they came in. Every run, and every transition to the last byte and digest, must come out the same (I5: batching is invisible to code).
 */
export async function checkRerun(contents: ShardContents, { folded, deps, sizes }: { readonly folded: ReadonlyMap<number, FoldedRun>; readonly deps: RerunDeps; readonly sizes: BatchSizes }): Promise<Finding[]> {
  const left = new Set([...folded.values()].filter(isOfItself).map(({ number }) => number));
  const { inputs, findings } = inputsOf(contents.transitions, { folded, left });
  const { snapshotKey, stacks } = deps;
  const sandbox = await Sandbox.create({ snapshotKey, limits: { activationMs: ACTIVATION_MS } });
  const file = ShardFile.inMemory();
  try {
    const store = new SqliteStateStore(file);
    const ports = { engine, store, bundles: new PinnedBundles(deps), realms: new SandboxRealms(sandbox), ownership: new SoleOwner(file.epoch), ...(stacks ? { stacks } : {}) };
    const processor = await ShardProcessor.open(ports, { snapshotKey, limits: { realmsMax: REALMS_MAX } });
    for (let at = 0, batch = 0; at < inputs.length; at += sizes[batch++ % sizes.length]!) {
      await processor.process(inputs.slice(at, at + sizes[batch % sizes.length]!));
      const commit = processor.takeCommit();
      if (commit) await store.commit(commit);
      processor.committed();
    }
    return [...findings, ...compare(contents, { again: contentsOf(file.db), left, folded })];
  } finally {
    file.close();
    sandbox.dispose();
  }
}

/** Its transitions follow from the log and the code; not so what a limit of time voided, or a fault of the host set aside. */
const isOfItself = ({ transitions }: FoldedRun): boolean => !transitions.some(({ events }) => events.some((event) => event.kind === 'voided' || (event.kind === 'suspended' && event.reason.kind !== 'operator')));

function inputsOf(rows: readonly TransitionRow[], { folded, left }: { readonly folded: ReadonlyMap<number, FoldedRun>; readonly left: ReadonlySet<number> }): { inputs: Input[]; findings: Finding[] } {
  const findings: Finding[] = [];
  const inputs = rows.flatMap(({ run, last }) => {
    const known = folded.get(run)!;
    const transition = known.transitions.find(({ first, events }) => first + events.length - 1 === last)!;
    if (!left.has(run)) return [];
    try {
      return [inputOf(known, transition)].filter((input) => input !== undefined);
    } catch (error) {
      findings.push({ check: 'rerun', where: nameOf(known.state.run), what: String(error) });
      return [];
    }
  });
  return { inputs, findings };
}

interface Compared {
  readonly again: ShardContents;
  readonly left: ReadonlySet<number>;
  readonly folded: ReadonlyMap<number, FoldedRun>;
}

/** Run numbers may differ where runs were purged; what a run is does not. */
function* compare(live: ShardContents, { again, left, folded }: Compared): Iterable<Finding> {
  const rows = new Map(again.runs.map((row) => [nameOf(row), row]));
  const histories = Map.groupBy(again.transitions, ({ run }) => run);
  for (const row of live.runs) {
    if (!left.has(row.number)) continue;
    const now = rows.get(nameOf(row));
    const what = now ? partingOf(folded.get(row.number)!.rows, histories.get(now.number) ?? []) : 'run again, the log does not lead to this run';
    if (what) yield { check: 'rerun', where: nameOf(row), what };
    else if (!isDeepStrictEqual(plain(row), plain(now!))) yield { check: 'rerun', where: nameOf(row), what: `run again, the log leads to ${shown(plain(now!))}, the store has ${shown(plain(row))}` };
  }
}

const partingOf = (then: readonly TransitionRow[], now: readonly TransitionRow[]): string | undefined => {
  const at = Array.from({ length: Math.max(then.length, now.length) }, (_, index) => index).find((index) => !isSame(then[index], now[index]));
  return at === undefined ? undefined : `run again, step ${at + 1} is another:\n  - ${shown(told(then[at]))}\n  + ${shown(told(now[at]))}`;
};

const isSame = (a: TransitionRow | undefined, b: TransitionRow | undefined): boolean => a !== undefined && b !== undefined && a.events === b.events && a.at === b.at && a.inputId === b.inputId && Buffer.compare(a.digest, b.digest) === 0;

const told = (row: TransitionRow | undefined): unknown => row && { at: row.at, inputId: row.inputId, events: JSON.parse(row.events) as unknown };

/** Without its number, and of the pin the bundle alone: this process may be another build of the sandbox. */
const plain = ({ number: _, pin, ...row }: RunRow): unknown => JSON.parse(JSON.stringify({ ...row, bundle: pin.bundle })) as unknown;
