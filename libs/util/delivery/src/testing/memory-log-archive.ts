import { PerdureError } from '@perdure/contract';
import { LogArchive, type LogName, type Segment } from '../archive/log-archive.js';

const keyOf = ({ slice, identity }: LogName, { first, last }: Segment): string => `${slice} ${identity} ${first} ${last}`;

/** An archive in memory: what one must do, in the fewest lines. */
export class MemoryLogArchive extends LogArchive {
  readonly kept = new Map<string, { readonly log: LogName; readonly segment: Segment; readonly text: string }>();

  override async segments({ slice, identity }: LogName): Promise<readonly Segment[]> {
    return [...this.kept.values()].flatMap(({ log, segment }) => (log.slice === slice && log.identity === identity ? [segment] : []));
  }

  override async put(log: LogName, { first, last }: Segment, text: string): Promise<boolean> {
    const key = keyOf(log, { first, last });
    if (this.kept.has(key)) return false;
    this.kept.set(key, { log, segment: { first, last }, text });
    return true;
  }

  override async get(log: LogName, segment: Segment): Promise<string> {
    const found = this.kept.get(keyOf(log, segment));
    if (!found) throw new PerdureError('unavailable', 'There is no such segment.');
    return found.text;
  }
}
