/** `+0ms`, `+1.204s`, `+3m 20s`, `+6d 4h`, `+7d`: how long after the start. */
export const since = (ms: number): string => {
  if (ms < 1_000) return `+${ms}ms`;
  if (ms < 60_000) return `+${(ms / 1_000).toFixed(3)}s`;
  const units = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1_000]] as const;
  const first = units.findIndex(([, length]) => ms >= length);
  const [[major, majorMs], [minor, minorMs]] = [units[first]!, units[first + 1]!];
  const rest = Math.floor((ms % majorMs) / minorMs);
  return `+${Math.floor(ms / majorMs)}${major}${rest === 0 ? '' : ` ${rest}${minor}`}`;
};

/** A length of time: `20s`, `7d`. */
export const lasting = (ms: number): string => since(ms).slice(1).replace(/\.?0+s$/, 's');

export const at = (ms: number): string => new Date(ms).toISOString();
