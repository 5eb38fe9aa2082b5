export interface ServerLimits {
  /** From the start to the first answer. */
  readonly startMsMax: number;
  readonly betweenProbesMs: number;
  /** From the request to end until it is killed. */
  readonly stopMsMax: number;
}

/** Generous: a loaded machine of two cores is no failure. */
export const SERVER_LIMITS: ServerLimits = { startMsMax: 120_000, betweenProbesMs: 25, stopMsMax: 10_000 };

/** How long one question for an answer may take. */
export const PROBE_MS_MAX = 2_000;
