import { activities, Cancelled, isCancelRequested, onQuery, onSignal, receive, saga, signal, upsertAttributes } from '@perdure/sdk/workflow';
import type * as carrier from './carrier.activities.js';

export interface Order {
  readonly orderId: string;
  readonly item: string;
  readonly amount: number;
  readonly address: string;
}

export interface Receipt {
  readonly tracking: string;
  readonly deliveredAt: string;
  readonly hurried: boolean;
}

/** What the carrier's webhook says. */
interface Scan {
  readonly at: string;
  readonly place: string;
}

const { reserve, charge, ship, notify, release, refund } = activities<typeof carrier>({ startToCloseTimeout: '30s', retry: { maxAttempts: 5, initialInterval: '200ms' } });

/** The customer asks for the parcel to be there sooner. */
export const hurry = signal<{ readonly reason: string }>('hurry');

/** A parcel's way to its customer. What was done is undone when it fails or is cancelled. */
export async function deliver(order: Order): Promise<Receipt> {
  const undo = saga();
  let stage = 'reserving';
  let hurried = false;
  onQuery('stage', () => stage);
  onSignal(hurry, () => {
    hurried = true;
  });
  try {
    const hold = await undo.run(reserve, order, release);
    stage = 'charging';
    goOnUnlessCancelled();
    await undo.run(charge, order, refund);
    stage = 'shipping';
    goOnUnlessCancelled();
    const parcel = await ship({ order, hold });
    goOnUnlessCancelled();
    upsertAttributes({ searchAttributes: { tracking: parcel.tracking } });
    stage = 'in transit';
    await receive<Scan>('carrier.picked-up', { match: { tracking: parcel.tracking }, timeout: '2 days' });
    stage = 'out for delivery';
    const scan = await receive<Scan>('carrier.delivered', { match: { tracking: parcel.tracking }, timeout: '7 days' });
    stage = 'delivered';
    await notify({ orderId: order.orderId, text: `delivered at ${scan.place}` });
    return { tracking: parcel.tracking, deliveredAt: scan.at, hurried };
  } catch (error) {
    await undo.compensate();
    throw error;
  }
}

/** A cancel that comes during an activity asks it to stop. If it completes all the same, what comes after it is not cancelled by itself. */
const goOnUnlessCancelled = (): void => {
  if (isCancelRequested()) throw new Cancelled();
};
