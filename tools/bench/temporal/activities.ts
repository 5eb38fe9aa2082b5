import { stepResult } from '../dist/expected.js';

/** The same step as everyone's. */
export async function step(order: string, index: number): Promise<string> {
  return stepResult(order, index);
}
