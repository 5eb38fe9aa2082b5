/** I9: nothing is unbounded. Every limit has its name here, its unit last, and passing it gives `limit-exceeded` or back-pressure. */
export const LIMITS = {
  /** Tenants, workflow ids, input ids, names: UTF-8 bytes. */
  idBytesMax: 512,
  nameBytesMax: 256,
  /** A request's body, and so a payload. */
  payloadBytesMax: 2 * 1024 * 1024,
  /** Lists and objects within each other in a request's body. */
  jsonDepthMax: 500,
  bundleBytesMax: 8 * 1024 * 1024,
  /** Events of one run; a run that passes it fails and says to continue as new. */
  historyEventsMax: 51_200,
  /** Activities, timers, waits, children and signals of one run that are not settled. */
  pendingPerRunMax: 20_000,
  /** Commands of one activation. */
  commandsPerActivationMax: 20_000,
  /** Bytes of one activation's output. */
  activationOutputBytesMax: 8 * 1024 * 1024,
  undoStepsMax: 10_000,
  attributesBytesMax: 64 * 1024,
  /** Inputs waiting for a shard; beyond it requests get 503 `overloaded` with Retry-After. */
  shardQueueMax: 20_000,
  /** Inputs of one batch (one transaction). */
  batchInputsMax: 256,
  /** A request is answered 202 when its outcome is not known by then. */
  requestDeadlineMs: 10_000,
  /** A result or a poll is held open at most so long. */
  longPollMs: 60_000,
  /** A duration may be at most ten years. */
  durationMsMax: 10 * 366 * 86_400_000,
  /** External events are told apart by (tenant, source, id) so long. */
  eventDedupeMs: 7 * 86_400_000,
  /** Events that no wait has taken are kept so long. */
  eventBufferMs: 7 * 86_400_000,
  /** Of all tenants of a slice; one tenant may hold as many as there is room left. */
  eventsBufferedMax: 1_000_000,
  pollSlotsMax: 1_000,
  batchEventsMax: 1_000,
  pageMax: 1_000,
} as const;
