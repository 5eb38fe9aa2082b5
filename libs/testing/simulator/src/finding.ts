import type { Report } from './simulate.js';
import type { Violation } from './violation.js';

/** What a failed seed leaves. */
export interface Finding {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly tail: readonly string[];
}

/** What is wrong with the seed, if anything. A simulation that throws has failed too, and is told by its seed. */
export async function findingOf(seed: number, { run, tail }: { readonly run: (seed: number) => Promise<Pick<Report, 'violations' | 'trace'>>; readonly tail: number }): Promise<Finding | undefined> {
  try {
    const { violations, trace } = await run(seed);
    return violations.length === 0 ? undefined : { seed, violations, tail: tail === 0 ? [] : trace.slice(-tail) };
  } catch (thrown) {
    return thrownIn(seed, thrown);
  }
}

export const thrownIn = (seed: number, thrown: unknown): Finding => ({ seed, violations: [{ invariant: 'thrown', what: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) }], tail: [] });
