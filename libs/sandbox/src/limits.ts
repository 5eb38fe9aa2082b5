import assert from 'node:assert/strict';

/** I9: each way in which workflow code could be unbounded has its limit here. */
export interface SandboxLimits {
  /** Most that a realm's memory may grow to: the `maximum` of its WASM memory. */
  readonly memoryBytes: number;
  /** C stack of the interpreter; running over it is a trap that no code can catch. */
  readonly stackBytes: number;
  /** Longest that one activation may run, in CPU time of its thread. */
  readonly activationMs: number;
  /** Longest that the evaluation of a bundle may run, counted likewise. */
  readonly evaluationMs: number;
  readonly bundleBytesMax: number;
  /** Baselines kept; the longest unused makes room. */
  readonly bundlesMax: number;
  readonly outputBytesMax: number;
  /** Live realms of one sandbox. */
  readonly realmsMax: number;
  /** Stages of one sandbox: one for each bundle in use, and those of large realms, which have at most half of them. */
  readonly stagesMax: number;
  /** A realm whose records have more bytes gets a stage of its own, if there may be one more: to move it costs more than memory does. */
  readonly largeRealmBytes: number;
  /** A stage that grew so far above its bundle's baseline is given up when the realm that made it so leaves. */
  readonly stageSurplusBytesMax: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_LIMITS: SandboxLimits = {
  memoryBytes: 32 * MIB,
  stackBytes: 768 * KIB,
  activationMs: 1_000,
  evaluationMs: 5_000,
  bundleBytesMax: 8 * MIB,
  bundlesMax: 256,
  outputBytesMax: 8 * MIB,
  realmsMax: 4_000,
  stagesMax: 128,
  largeRealmBytes: 512 * KIB,
  stageSurplusBytesMax: 4 * MIB,
};

export const WASM_PAGE_BYTES = 64 * KIB;
/** A baseline's image is whole blocks of this size. */
export const BLOCK_BYTES = 4 * KIB;

export function toLimits(given: Partial<SandboxLimits> = {}): SandboxLimits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const [name, value] of Object.entries(limits)) assert(Number.isSafeInteger(value) && value > 0, `${name} must be a positive whole number`);
  assert(limits.memoryBytes % WASM_PAGE_BYTES === 0 && limits.memoryBytes >= 2 * MIB, 'memoryBytes is whole WASM pages of 64 KiB, at least 2 MiB');
  assert(limits.stackBytes >= 64 * KIB && limits.stackBytes <= 896 * KIB && limits.stackBytes % 16 === 0, 'stackBytes lies between 64 and 896 KiB');
  return Object.freeze(limits);
}

/** `resourceLimits.stackSizeMb` of a thread that runs realms: four times what the deepest nesting was seen to take, so that the stack which ends is the interpreter's. */
export const HOST_STACK_MB = 32;
