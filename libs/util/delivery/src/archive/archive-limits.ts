/** Named limits of the archive of logs (I9). Units last. */
export const ARCHIVE_LIMITS = {
  /** One segment; it has one record at least, and one at most that is over the bytes. */
  segmentRecordsMax: 10_000,
  segmentBytesMax: 4 * 1024 * 1024,
  /** Records that were consumed are archived once they fill a segment, or after so long; the last quarter of it by chance, so that slices do not come at once. */
  segmentAfterMs: 600_000,
  /** Read at a time; the batches of the slice's owner come between. */
  readRecordsMax: 128,
} as const;

export type ArchiveLimits = { readonly [K in keyof typeof ARCHIVE_LIMITS]: number };
