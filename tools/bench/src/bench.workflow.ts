import { activities, nextSignal, signal, sleep } from '@perdure/sdk/workflow';
import type * as bench from './bench.activities.js';
import { checksumOf, digestOf, LOCAL_CHARACTERS, noiseOf, STEPS } from './expected.js';

const { step } = activities<typeof bench>({ startToCloseTimeout: '60s', retry: { maxAttempts: 5 } });

const woken = signal<string>('woken');

interface Counted {
  readonly id: string;
  readonly count: number;
}

export async function fiveStep(order: string): Promise<string> {
  const results: string[] = [];
  for (let index = 0; index < STEPS; index++) results.push(await step(order, index));
  return digestOf(results);
}

export async function signalled(id: string): Promise<string> {
  return `${id}: ${await nextSignal(woken)}`;
}

/** Its local state is its own: nothing in its history holds it. */
export async function parked(id: string): Promise<string> {
  const local = noiseOf(id, LOCAL_CHARACTERS);
  const results = [await step(id, 0), await step(id, 1)];
  const word = await nextSignal(woken);
  return `${digestOf(results)} ${word} ${local}`;
}

/** A history as long as one likes. */
export async function counted({ id, count }: Counted): Promise<string> {
  let done = 0;
  for (; done < count; done++) await step(id, done);
  return `${id} ${done} ${await nextSignal(woken)}`;
}

export async function fanOut({ id, count }: Counted): Promise<number> {
  return checksumOf(await Promise.all(Array.from({ length: count }, (_, index) => step(id, index))));
}

/** Sleeps until a moment (`count`: epoch milliseconds) and returns how many milliseconds too late it was woken. */
export async function sleeper({ count }: Counted): Promise<number> {
  await sleep(Math.max(0, count - Date.now()));
  return Date.now() - count;
}
