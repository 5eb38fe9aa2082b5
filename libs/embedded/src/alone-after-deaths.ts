import { LIMITS } from '@perdure/contract';

/** One by one costs two commits an input: so few that a server which was killed often, and not by what it is sent, is itself again within seconds. */
const ALONE_MAX = 4 * LIMITS.batchInputsMax;

/**
 * How many inputs run one by one after so many unclean deaths in a row. What kills may come only when its client sends it again, behind much that others send: so
 * when a second process in a row has died, more is suspected.
 */
export const aloneAfterDeaths = (deaths: number, first: number = LIMITS.batchInputsMax): number => Math.min(ALONE_MAX, first * 4 ** (deaths - 1));
