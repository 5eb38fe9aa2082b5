import { LIMITS, PerdureError } from '@perdure/contract';
import ms, { type StringValue } from 'ms';

/** Parts are added up; each is a non-negative number. */
export interface DurationParts {
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
  readonly milliseconds?: number;
}

/** A length of time: `'30s'`, `'7 days'`, `{ days: 7 }`, or a number of milliseconds. At most ten years. */
export type Duration = Exclude<StringValue, `${number}`> | DurationParts | number;

const MS_OF: Record<keyof DurationParts, number> = { days: 86_400_000, hours: 3_600_000, minutes: 60_000, seconds: 1_000, milliseconds: 1 };

const invalid = (duration: unknown, why: string): PerdureError =>
  new PerdureError('invalid-duration', `Invalid duration ${describe(duration)}: ${why}`);

const describe = (duration: unknown): string => {
  try {
    return (JSON.stringify(duration) ?? String(duration)).slice(0, 100);
  } catch {
    return String(duration).slice(0, 100);
  }
};

/**
 * A duration in whole milliseconds.
 *
 * @throws PerdureError `invalid-duration` when it is negative, not a number, without a unit, or longer than ten years.
 * @example durationMs('1.5h') // 5_400_000
 */
export const durationMs = (duration: Duration): number => {
  const value = milliseconds(duration);
  if (Number.isNaN(value)) throw invalid(duration, "write it as '30s', '7 days', { days: 7 } or a number of milliseconds");
  if (value < 0) throw invalid(duration, 'it is negative');
  if (value > LIMITS.durationMsMax) throw invalid(duration, `it is longer than ten years (${LIMITS.durationMsMax} ms)`);
  return Math.round(value);
};

const milliseconds = (duration: unknown): number => {
  if (typeof duration === 'number') return duration;
  if (typeof duration === 'string') return parse(duration);
  if (typeof duration !== 'object' || duration === null) return Number.NaN;
  const parts = Object.entries(duration).filter(([, value]) => value !== undefined);
  if (parts.length === 0) return Number.NaN;
  let total = 0;
  for (const [unit, value] of parts) {
    if (!Object.hasOwn(MS_OF, unit)) throw invalid(duration, `unknown unit ${describe(unit)}; known are ${Object.keys(MS_OF).join(', ')}`);
    if (typeof value !== 'number' || Number.isNaN(value)) throw invalid(duration, `${unit} is not a number`);
    if (value < 0) throw invalid(duration, `${unit} is negative`);
    total += value * MS_OF[unit as keyof DurationParts];
  }
  return total;
};

/** `ms` takes a bare number as milliseconds; in a string that is more likely a forgotten unit. */
const parse = (text: string): number => (text.length === 0 || text.length > 100 || /[\d.]\s*$/.test(text) ? Number.NaN : (ms(text as StringValue) ?? Number.NaN));
