/** Named limits of a node (I9). Units last. */
export const MESH_LIMITS = {
  /** Slices that a node opens at the same time: those of a lost node are not all taken at once. */
  openingsMax: 2,
  /** A slice is opened after a random part of this time, so that nodes do not come all at once. */
  takeOverJitterMs: 100,
  /** A slice that was lost or did not open is tried again after so long, and after twice the time each further time. */
  reopenAfterMs: 250,
  reopenAfterMsMax: 10_000,
  /** An owner that lasted so long had no trouble. */
  steadyAfterMs: 30_000,
  /** What is asked of a slice's owner is answered within this time, or taken for lost. */
  askTimeoutMs: 15_000,
  /** Nobody has the slice now: whoever asks tries again after so long, and after twice the time each further time. */
  askAgainAfterMs: 25,
  askAgainAfterMsMax: 500,
  /** A node that starts waits so long for its sidecar, and looks so often whether it is there. */
  sidecarWaitMs: 30_000,
  sidecarLookEveryMs: 100,
  /** Between nodes of one service. */
  forwardTimeoutMs: 5_000,
  /** From one node to another: as many as there are polls that wait, and some. */
  nodeConnectionsMax: 2_048,
  /** A list of nodes without this one is not acted upon for so long: etcd may have lost its data, and have it back in a moment. */
  absenceGraceMs: 2_000,
  /** A node looks so often whether its sidecar is there, and leaves the others when it was not for so long: it could send nothing. */
  sidecarWatchEveryMs: 1_000,
  sidecarGoneAfterMs: 8_000,
  /** Outcomes and closings that an instance of ingestion remembers, for those who ask only after the hint has come. */
  hintsRememberedMax: 20_000,
  /** Hints that wait to be sent to one node; beyond it the oldest are dropped: who waits looks again. */
  hintsQueuedMax: 10_000,
  /** The span of a request that began a trace is kept so long after the answer, for the hint that says for which run it was. */
  spansKeptMs: 10_000,
  /** Who waits for a hint looks by itself so often, for hints may be lost. */
  lookAgainAfterMs: 1_000,
  /** Logs are looked at so often for something to archive; the last half of it by chance. */
  archiveEveryMs: 5_000,
  /** A log that could not be archived is tried again after so long, and after twice the time each further time. */
  archiveAgainAfterMs: 5_000,
  archiveAgainAfterMsMax: 300_000,
  /** Messages carry payloads within structures of our own. */
  internalJsonDepthMore: 32,
} as const;
