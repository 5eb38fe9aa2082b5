import { describe, expect, it } from '@jest/globals';
import type { GuardName } from '@perdure/guards';
import { withoutGuard } from '@perdure/guards/testing';
import { simulate, type Report } from './simulate.js';

/** Within so many seeds each removal must be found. */
const SEEDS_MAX = 200;

/** What falls without each guard. */
const TEETH: readonly (readonly [GuardName, string])[] = [
  ['inputDedupe', 'I1'],
  ['cursorCompareAndSet', 'I3'],
  ['epochCheck', 'I3'],
  ['outboxResend', 'I4'],
  ['receiverMarks', 'I4'],
  ['closingByToken', 'I8'],
  ['takeBack', 'I3'],
  ['returnOfOffers', '§12'],
  ['oneInputOneActivation', 'I5'],
  ['snapshotAuthentication', 'I7'],
];

/** The first seed that names the invariant. */
async function findWithout(guard: GuardName, invariant: string): Promise<Report | undefined> {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const report = await simulate({ seed, guards: withoutGuard(guard) });
    if (report.violations.some((violation) => violation.invariant === invariant)) return report;
  }
  return undefined;
}

describe('The simulator notices that a guard is missing', () => {
  it.each(TEETH)('%s (%s)', async (guard, invariant) => {
    const found = await findWithout(guard, invariant);
    expect(found?.violations.map((violation) => violation.invariant)).toContain(invariant);
    expect((await simulate({ seed: found!.seed })).violations).toEqual([]);
  }, 120_000);
});
