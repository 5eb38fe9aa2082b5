import type { Intake } from './intake.js';
import type { LogPosition } from './log.js';
import type { Confirmation, Origin, SliceName } from './message.js';
import type { SliceWork } from './slice-machine.js';

/** One work of a batch, and what is to be committed when it is done. */
export interface Item {
  readonly work: SliceWork;
  readonly origin?: Origin;
  /** Position after it, for a record of the log. */
  readonly position?: LogPosition;
  /** Names it across owners. */
  readonly name: string;
}

/** What is new of the items, in order. */
export function admit(items: readonly Item[], intake: Intake): SliceWork[] {
  const works: SliceWork[] = [];
  for (const { work, origin } of items) {
    if (!origin) works.push(work);
    else if (intake.isRepeat(origin)) continue;
    else if (work.kind === 'message') for (const body of intake.take(origin, work.body)) works.push({ kind: 'message', body });
    else {
      intake.skip(origin);
      works.push(work);
    }
  }
  return works;
}

/** Of repeats too: their sender has not heard. */
export function confirmationsOf(items: readonly Item[], destination: SliceName): Confirmation[] {
  const numbers = new Map<SliceName, number[]>();
  for (const { origin, work } of items) {
    if (!origin || work.kind !== 'message') continue;
    const list = numbers.get(origin.source);
    if (list) list.push(origin.number);
    else numbers.set(origin.source, [origin.number]);
  }
  return [...numbers].map(([source, list]) => ({ source, destination, numbers: list }));
}
