import { isDeeperThan, LIMITS } from '@perdure/contract';
import type { RealmActivation } from './ports/realm-host.js';

/** What a client may give is no deeper than `jsonDepthMax`; passed on by workflow code it lies within a command, an outcome or a cause. */
const DEPTH_MAX = LIMITS.jsonDepthMax + 32;

const utf8 = new TextEncoder();

/** A shorter text cannot be: each level takes two characters. */
const isTooDeep = (text: string): boolean => text.length > 2 * DEPTH_MAX && isDeeperThan(utf8.encode(text), DEPTH_MAX);

/**
 * Voids an output that nests too deep. Whoever walks such a value by calls of itself ends with its stack: the thread that it is posted to, a store's JSON
 * functions, a worker. So none of it may leave the realm.
 */
export const withinDepth = (result: RealmActivation): RealmActivation =>
  result.kind === 'ok' && isTooDeep(result.output) ? { kind: 'voided', reason: 'output', message: `what the code gave nests lists and objects deeper than ${LIMITS.jsonDepthMax}` } : result;
