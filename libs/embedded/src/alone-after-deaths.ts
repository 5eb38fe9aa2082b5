import { LIMITS } from '@perdure/contract';

/** More would hold up for minutes a server that is killed often, and not by what it is sent. */
const ALONE_MAX = LIMITS.batchInputsMax;

/**
 * How many inputs run one by one after so many unclean deaths in a row. What kills may come only when its client sends it again, behind much that others send: as
 * long as processes die, more and more is suspected.
 */
export const aloneAfterDeaths = (deaths: number, first: number = LIMITS.batchInputsMax): number => Math.min(ALONE_MAX, first * 4 ** (deaths - 1));
