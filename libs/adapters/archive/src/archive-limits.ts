/** Named limits of where logs are archived (I9). Units last. */
export const ARCHIVE_STORE_LIMITS = {
  /** One request to S3. */
  connectTimeoutMs: 2_000,
  requestTimeoutMs: 10_000,
  /** Each request in all. */
  triesMax: 2,
  connectionsMax: 4,
  /** A segment, unpacked. It is cut far below; one record may be larger than that. */
  textBytesMax: 64 * 1024 * 1024,
} as const;
