import { activities, condition, nextSignal, onQuery, onSignal, onUpdate, query, saga, signal, update } from '@perdure/sdk/workflow';
import type * as shop from './shop.activities.js';

const { reserve, release } = activities<typeof shop>({ startToCloseTimeout: '30s', retry: { maxAttempts: 2, initialInterval: '1ms' } });

export const pay = signal<{ readonly by: string }>('pay');
export const items = query<void, readonly string[]>('items');
export const addItem = update<string, number>('addItem');

/** An order that is paid by a signal. */
export async function order(first: string): Promise<string> {
  const inside = [first];
  onQuery(items, () => inside);
  onUpdate(addItem, (item: string) => inside.push(item), {
    validate: (item) => {
      if (item === '') throw new Error('which item?');
    },
  });
  const undo = saga();
  try {
    await undo.run(reserve, first, release);
    const { by } = await nextSignal(pay, { timeout: '7 days' });
    return `${inside.join(' and ')}, paid by ${by}`;
  } catch (error) {
    await undo.compensate();
    throw error;
  }
}

export async function broken(what: string): Promise<void> {
  giveUp(what);
}

const giveUp = (what: string): never => {
  throw new TypeError(`no good: ${what}`);
};

/** Ends without a value, once it is told to. */
export async function gate(): Promise<void> {
  let isOpen = false;
  onSignal(pay, () => {
    isOpen = true;
  });
  await condition(() => isOpen);
}
