import { describe, expect, it } from '@jest/globals';
import { GUARD_NAMES, type GuardName } from '@perdure/guards';
import { withoutGuard } from '@perdure/guards/testing';
import { simulate, type Report, type ShapeName } from './simulate.js';

/** Within so many seeds each removal must be found. */
const SEEDS_MAX = 200;

/** What falls without each guard. */
const TEETH: readonly (readonly [GuardName, string, ShapeName])[] = [
  ['inputDedupe', 'I1', 'mesh'],
  ['cursorCompareAndSet', 'I3', 'mesh'],
  ['epochCheck', 'I3', 'mesh'],
  ['outboxResend', 'I4', 'mesh'],
  ['orderOfAppends', 'I4', 'mesh'],
  ['receiverMarks', 'I4', 'mesh'],
  ['closingByToken', 'I8', 'mesh'],
  ['progressByToken', 'I8', 'mesh'],
  ['takeBack', 'I3', 'mesh'],
  ['returnOfOffers', '§12', 'mesh'],
  ['oneInputOneActivation', 'I5', 'mesh'],
  ['trimBehindArchive', 'I1', 'mesh'],
  ['snapshotAuthentication', 'I7', 'mesh'],
  ['fsync', 'I1', 'embedded'],
];

/** The first seed that names the invariant. */
async function findWithout(guard: GuardName, { invariant, shape }: { readonly invariant: string; readonly shape: ShapeName }): Promise<Report | undefined> {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const report = await simulate({ seed, shape, guards: withoutGuard(guard) });
    if (report.violations.some((violation) => violation.invariant === invariant)) return report;
  }
  return undefined;
}

describe('The simulator notices that a guard is missing', () => {
  it('whichever it is', () => {
    expect(TEETH.map(([guard]) => guard).sort()).toEqual([...GUARD_NAMES].sort());
  });

  it.each(TEETH)('%s (%s, %s)', async (guard, invariant, shape) => {
    const found = await findWithout(guard, { invariant, shape });
    expect(found?.violations.map((violation) => violation.invariant)).toContain(invariant);
    expect((await simulate({ seed: found!.seed, shape })).violations).toEqual([]);
  }, 120_000);
});
