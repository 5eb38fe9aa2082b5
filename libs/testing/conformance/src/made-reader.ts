/** A read side, and a way to write what it reads, slice by slice, as those write who own it. */
export interface MadeReader<R, Rows> {
  readonly reader: R;
  /** In one commit of that slice, of which there are `READER_SLICES`. */
  write(slice: number, rows: Rows): Promise<void>;
  close(): Promise<void>;
}

export type MakeReader<R, Rows> = () => Promise<MadeReader<R, Rows>>;

export const READER_SLICES = 3;
