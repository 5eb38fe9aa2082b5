import type { LedgerLine } from '../book/ledger-record.js';
import { expectedOf, type Observations } from '../model/model.js';
import { valueOf } from '../program/program.js';
import type { Evidence, Finding } from './evidence.js';
import { observationsOf } from './check-results.js';

/** `at`: where it stands in the ledger's file, whose order is the order in which things happened. */
type EffectLine = Extract<LedgerLine, { kind: 'effect' }> & { readonly at: number };

/** Both ways: the ledger has the effects that the model asks for, each applied once under one key, and no others. */
export const checkEffects = (evidence: Evidence): Finding[] => {
  const observations = observationsOf(evidence);
  const effects = evidence.ledger.flatMap((line, at): EffectLine[] => (line.kind === 'effect' ? [{ ...line, at }] : []));
  const applied = Map.groupBy(effects.filter((line) => line.applied), ({ effectId }) => effectId);
  const expected = evidence.programs.map((program) => expectedOf(program, observations));
  const all = new Map(expected.flatMap((each) => [...each.effects]));
  return [
    ...checkKeys(evidence.ledger),
    ...[...all].filter(([id, how]) => how === 'must' && !applied.has(id)).map(([id]) => `effect ${id} should have happened`),
    ...[...applied.keys()].filter((id) => !all.has(id)).map((id) => `effect ${id} should not have happened`),
    ...[...applied].filter(([, lines]) => lines.length > 1).map(([id, lines]) => `effect ${id} was applied ${lines.length} times, under ${lines.map(({ key }) => key).join(', ')}`),
    ...expected.flatMap(({ undone }) => undone.flatMap((group) => checkOrder(group, applied))),
    ...checkUndone(effects, observations),
  ].map((what) => ({ oracle: 'effects', what }));
};

/** One activity, one key: all attempts share it, and nothing else has it. */
function checkKeys(lines: readonly LedgerLine[]): string[] {
  const found: string[] = [];
  const keyOf = new Map<string, string>();
  const idOf = new Map<string, string>();
  for (const { key, effectId } of lines) {
    if ((keyOf.get(effectId) ?? key) !== key) found.push(`effect ${effectId} has two keys: ${keyOf.get(effectId)} and ${key}`);
    if ((idOf.get(key) ?? effectId) !== effectId) found.push(`key ${key} stands for two effects: ${idOf.get(key)} and ${effectId}`);
    keyOf.set(effectId, key);
    idOf.set(key, effectId);
  }
  return found;
}

function checkOrder(group: readonly string[], applied: ReadonlyMap<string, readonly EffectLine[]>): string[] {
  const lines = group.flatMap((id) => applied.get(id)?.slice(0, 1) ?? []);
  const order = lines.map(({ effectId }) => effectId).join(', ');
  const happened = [...lines].sort((a, b) => a.at - b.at).map(({ effectId }) => effectId).join(', ');
  return order === happened ? [] : [`undone in the order ${happened}, not ${order}`];
}

/** An undo is told the key of what it undoes, and its result if history has one. */
function checkUndone(effects: readonly EffectLine[], observations: Observations): string[] {
  return effects.flatMap(({ effectId, undoes }) => {
    if (!undoes) return [];
    const undone = effectId.replace(/\/undo$/, '');
    const activity = observations.get(undone.replace(/#.*$/, ''))?.activities.get(undone);
    if (activity?.key !== undoes.key) return [`${effectId} was told to undo ${undoes.key}, not ${activity?.key}`];
    const value = activity.closed?.outcome.status === 'completed' ? valueOf(undone) : undefined;
    return undoes.value === value ? [] : [`${effectId} was told the result ${undoes.value}, not ${value}`];
  });
}
