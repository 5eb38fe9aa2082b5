import { LIMITS } from '@perdure/contract';

const ALONE_MAX = 65_536;

/**
 * How many inputs run one by one after so many unclean deaths in a row. What kills may come only when its client sends it again, behind much that others send: as
 * long as processes die, more and more is suspected.
 */
export const aloneAfterDeaths = (deaths: number, first: number = LIMITS.batchInputsMax): number => Math.min(ALONE_MAX, first * 4 ** (deaths - 1));
