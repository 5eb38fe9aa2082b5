import { activities } from '@perdure/sdk/workflow';
import type * as bench from './bench.activities.js';
import { digestOf, STEPS } from './expected.js';

const { step } = activities<typeof bench>({ startToCloseTimeout: '60s', retry: { maxAttempts: 5 } });

export async function fiveStep(order: string): Promise<string> {
  const results: string[] = [];
  for (let index = 0; index < STEPS; index++) results.push(await step(order, index));
  return digestOf(results);
}
