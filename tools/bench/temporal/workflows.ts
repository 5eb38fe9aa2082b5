// Temporal's side of the five-step workload. Its worker bundles this file; retries are as they come: for ever, with back-off.
import { proxyActivities } from '@temporalio/workflow';
import { digestOf, STEPS } from '../dist/expected.js';
import type * as bench from './activities.ts';

const { step } = proxyActivities<typeof bench>({ startToCloseTimeout: '60s' });

export async function fiveStep(order: string): Promise<string> {
  const results: string[] = [];
  for (let index = 0; index < STEPS; index++) results.push(await step(order, index));
  return digestOf(results);
}
