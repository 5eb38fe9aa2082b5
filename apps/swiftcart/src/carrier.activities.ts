import { activity, TerminalError } from '@perdure/sdk/activity';
import type { Undo } from '@perdure/sdk/workflow';
import type { Order } from './deliver.workflow.js';

// What a warehouse, a payment provider and a carrier would do. Each uses the idempotency key, which all attempts of one activity share.

/** Where the carrier does not go. */
export const NOT_SERVED = 'Atlantis';

export async function reserve(order: Order): Promise<{ readonly hold: string }> {
  return { hold: `hold-${order.orderId}` };
}

export async function charge(order: Order): Promise<{ readonly payment: string; readonly amount: number }> {
  return { payment: activity().idempotencyKey, amount: order.amount };
}

/** @throws TerminalError to an address that is not served: trying again would not help */
export async function ship({ order }: { readonly order: Order; readonly hold: { readonly hold: string } }): Promise<{ readonly tracking: string }> {
  if (order.address.endsWith(NOT_SERVED)) throw new TerminalError(`the carrier does not deliver to ${order.address}`);
  return { tracking: `SC-${order.orderId}` };
}

export async function notify(_message: { readonly orderId: string; readonly text: string }): Promise<void> {}

export async function release(_step: Undo<Order, { readonly hold: string }>): Promise<void> {}

export async function refund(_step: Undo<Order, { readonly payment: string; readonly amount: number }>): Promise<void> {}
