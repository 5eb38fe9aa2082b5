import { runKeyOf, type Transition } from '@perdure/contract';
import { replayPlan } from '@perdure/engine';
import { decodeSnapshot, redo, type Realm, type SnapshotRow } from '@perdure/history';
import type { Sandbox } from '@perdure/sandbox';
import { isDeepStrictEqual } from 'node:util';
import { nameOf, shown, type Finding } from './finding.js';
import { fold, type FoldedRun } from './folded-run.js';

export interface ReplayDeps {
  readonly sandbox: Sandbox;
  readonly snapshotKey: Uint8Array;
  code(tenant: string, hash: string): { readonly hash: string; readonly code: string } | undefined;
}

/** The code of the run's pin asks again for what its history says. `eachStep`: and is restored from a snapshot after each step besides. */
export const checkReplay = ({ state, transitions }: FoldedRun, deps: ReplayDeps, { eachStep }: { readonly eachStep: boolean }): Finding | undefined => {
  const where = nameOf(state.run);
  if (!ensureBundle(state.run.tenant, state.pin.bundle, deps)) return { check: 'replay', where, what: `bundle ${state.pin.bundle} is not there` };
  let realm: Realm = deps.sandbox.openRealm(state.pin.bundle);
  try {
    for (const step of replayPlan(transitions)) {
      const difference = redo(realm, step);
      if (difference) return { check: 'replay', where, what: `the replay differs at event ${difference.n}:\n${difference.diff}` };
      if (!eachStep) continue;
      const image = realm.snapshot();
      realm.close();
      const restored = deps.sandbox.restoreRealm(state.pin.bundle, image);
      if (!restored) return { check: 'snapshot', where, what: `the snapshot after event ${step.first - 1} is not taken back` };
      realm = restored;
    }
    return undefined;
  } finally {
    realm.close();
  }
};

/** A stored snapshot is either not to be used (another build made it), or right (I7). */
export const checkSnapshot = (row: SnapshotRow, run: FoldedRun, deps: ReplayDeps): Finding | undefined => {
  const { state, transitions } = run;
  const where = nameOf(state.run);
  const wrong = (what: string): Finding => ({ check: 'snapshot', where, what });
  const digest = run.rows.find(({ last }) => last === row.last)?.digest;
  if (!digest || Buffer.compare(digest, row.digest) !== 0) return wrong(`it is of event ${row.last}, where history has no such digest`);
  if (row.pin.bundle !== state.pin.bundle || row.pin.sandbox !== deps.sandbox.build) return undefined;
  const decoded = decodeSnapshot(deps.snapshotKey, { run: runKeyOf(state.run), last: row.last, digest }, row.body);
  if (!decoded) return wrong(`it does not authenticate as that of event ${row.last}`);
  const [before, after] = [transitions.filter(({ first }) => first <= row.last), transitions.filter(({ first }) => first > row.last)];
  const folded = fold(before);
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(decoded.state)), JSON.parse(JSON.stringify(folded)))) return wrong(`it holds the state ${shown(decoded.state)}, history says ${shown(folded)}`);
  if (!ensureBundle(state.run.tenant, row.pin.bundle, deps)) return wrong(`bundle ${row.pin.bundle} is not there`);
  return goesOn(decoded.image, { bundle: row.pin.bundle, after, deps, wrong });
};

interface Onward {
  readonly bundle: string;
  readonly after: readonly Transition[];
  readonly deps: ReplayDeps;
  readonly wrong: (what: string) => Finding;
}

const goesOn = (image: Uint8Array, { bundle, after, deps: { sandbox }, wrong }: Onward): Finding | undefined => {
  const realm = sandbox.restoreRealm(bundle, image);
  if (!realm) return wrong(`its image is not taken back: ${sandbox.snapshotRejection(bundle, image)}`);
  try {
    for (const step of replayPlan(after)) {
      const difference = redo(realm, step);
      if (difference) return wrong(`the code that was restored differs at event ${difference.n}:\n${difference.diff}`);
    }
    return undefined;
  } finally {
    realm.close();
  }
};

const ensureBundle = (tenant: string, hash: string, { sandbox, code }: ReplayDeps): boolean => {
  if (sandbox.hasBundle(hash)) return true;
  const found = code(tenant, hash);
  if (found) sandbox.loadBundle(found);
  return found !== undefined;
};
