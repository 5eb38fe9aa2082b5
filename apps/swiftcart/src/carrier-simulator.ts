import type { Clock } from '@perdure/clock';
import type { Client } from '@perdure/sdk/client';

/** A carrier as carriers are: some scans come twice, some out of order, some before anybody waits for them. */
export const simulateCarrier = async (client: Client, { tracking, count, clock }: { readonly tracking: string; readonly count: number; readonly clock: Clock }): Promise<void> => {
  const scan = (type: 'carrier.picked-up' | 'carrier.delivered', place: string) => client.publish({ type, source: '/carrier', id: `${tracking}/${type}`, data: { tracking, place, at: new Date(clock.now()).toISOString() } });
  const scans = [() => scan('carrier.picked-up', 'depot'), () => scan('carrier.delivered', 'front door')];
  if (count % 3 === 0) scans.reverse();
  if (count % 4 === 0) scans.push(scans[0]!);
  for (const send of scans) await send();
};
