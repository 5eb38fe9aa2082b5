import { activities, nextSignal, onQuery, query, saga, signal } from '@perdure/sdk/workflow';
import type * as parcels from './parcels.activities.js';

const { pack, unpack, weigh } = activities<typeof parcels>({ startToCloseTimeout: '30s', retry: { maxAttempts: 0, initialInterval: '50ms' } });

export const released = signal<string>('released');
export const stage = query<void, string>('stage');

/** Packs, waits for a word, and weighs so many times. */
export async function parcel({ id, weighings, waits }: { readonly id: string; readonly weighings: number; readonly waits: boolean }): Promise<string> {
  let at = 'packing';
  onQuery(stage, () => at);
  const undo = saga();
  await undo.run(pack, id, unpack);
  at = 'packed';
  const word = waits ? await nextSignal(released) : 'at once';
  let grams = 0;
  for (let index = 0; index < weighings; index++) grams += await weigh({ id, index });
  at = 'weighed';
  return `${id}: ${grams} g, ${word}`;
}
