import { checkAttempts } from './check-attempts.js';
import { checkEffects } from './check-effects.js';
import { checkHistories } from './check-histories.js';
import { checkInputs } from './check-inputs.js';
import { checkProgress } from './check-progress.js';
import { checkResults } from './check-results.js';
import type { Evidence, Finding } from './evidence.js';

const ORACLES = [checkProgress, checkHistories, checkInputs, checkResults, checkEffects, checkAttempts];

/** Everything that is not as it must be; empty when all is well. */
export const judge = (evidence: Evidence): readonly Finding[] => ORACLES.flatMap((check) => check(evidence));
