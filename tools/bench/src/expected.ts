/** What each workload must return, for whichever system runs it: the generator compares every answer with it. */
export const STEPS = 5;

/** What a run is started with: its own id, or that and what it is to do. */
export type RunInput = string | { readonly id: string; readonly count: number };

/** 200 bytes, as an activity's result. */
export const stepResult = (order: string, index: number): string => `${order}/${index}`.padEnd(200, '.');

/** The workflow's own result: drawn from each step's, so that a lost or repeated one shows. */
export const digestOf = (results: readonly string[]): string => results.map((result) => result.slice(0, result.indexOf('.'))).join(',');

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A text that does not compress below six bits a character, the same for the same seed (xorshift32). */
export const noiseOf = (seed: string, length: number): string => {
  let state = 2_166_136_261;
  for (let at = 0; at < seed.length; at++) state = Math.imul(state ^ seed.charCodeAt(at), 16_777_619);
  state ||= 1;
  const characters: string[] = [];
  while (characters.length < length) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    characters.push(ALPHABET[(state >>> 8) & 63]!);
  }
  return characters.join('');
};

/** 1 KB of local state. */
export const LOCAL_CHARACTERS = 1024;

/** What a run is woken with. */
export const wordFor = (id: string): string => `go ${id}`;

/** Sums what a fan-out's activities have returned, in order. */
export const checksumOf = (results: readonly string[]): number => {
  let sum = 0;
  for (const result of results) for (let at = 0; at < result.length; at++) sum = (Math.imul(sum, 31) + result.charCodeAt(at)) | 0;
  return sum;
};

const stepsOf = (id: string, count: number): string[] => Array.from({ length: count }, (_, index) => stepResult(id, index));

/** By workflow. Not `sleeper`, which returns how late it was. */
export const EXPECTED: Readonly<Record<string, (id: string, count: number) => unknown>> = {
  fiveStep: (id) => digestOf(stepsOf(id, STEPS)),
  signalled: (id) => `${id}: ${wordFor(id)}`,
  parked: (id) => `${digestOf(stepsOf(id, 2))} ${wordFor(id)} ${noiseOf(id, LOCAL_CHARACTERS)}`,
  counted: (id, count) => `${id} ${count} ${wordFor(id)}`,
  fanOut: (id, count) => checksumOf(stepsOf(id, count)),
};
