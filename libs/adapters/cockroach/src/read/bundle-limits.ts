/** Named limits of what a process keeps of the deployed bundles (I9). Units last. */
export const BUNDLE_LIMITS = {
  /** Code at hand, of all bundles together. */
  codeBytesMax: 128 * 1024 * 1024,
  /** Other processes deploy and retire: what is known of it is no older. */
  knownForMs: 1_000,
  /** Bundles and workflow types of which that is known. */
  knownMax: 10_000,
  /** Source maps that are kept, read and parsed; in characters of their JSON. */
  sourceMapCharsMax: 32 * 1024 * 1024,
} as const;
