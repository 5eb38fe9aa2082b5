/** Named limits of what goes through the sidecar (I9). Units last. */
export const DAPR_LIMITS = {
  /** Calls to the sidecar that may be open at one time, long polls included; the next is refused as `overloaded`. */
  callsMax: 2_048,
  /** A call to the sidecar is given up after this time, unless it says otherwise. */
  callTimeoutMs: 5_000,
  connectTimeoutMs: 2_000,
  /** A direct call of deliveries: short, for the re-send goes another way. */
  deliveryTimeoutMs: 3_000,
  /** A confirmation waits so long for others, and for mail to the same service, with which it travels: much shorter than until its message is sent again. */
  confirmAfterMs: 100,
  /** Calls of deliveries to one service at one time, on each of the two ways. */
  deliveryCallsMax: 4,
  /** What one such call carries; more only if a single message is larger. */
  deliveryCallBytesMax: 2 * 1024 * 1024,
  deliveryCallMailsMax: 512,
  /** An envelope that is larger is cut in several. */
  envelopeBytesMax: 512 * 1024,
  /** What waits for a call to one service; beyond it mail is dropped, and sent again by its source. */
  waitingBytesMax: 64 * 1024 * 1024,
  waitingMailsMax: 20_000,
  /** A broker takes no larger event (Kafka: 1 MiB by default, the wrapping included). What is larger goes by direct call each time. */
  eventBytesMax: 900 * 1024,
  /** Envelopes, and confirmations, that a receiver takes in one body. */
  bodyMailsMax: 10_000,
  /** Bytes of a body that the routes for deliveries must take: a rollback's steps are one message. daprd needs the same (`--max-body-size`). */
  bodyBytesMax: 64 * 1024 * 1024,
} as const;

export type DaprLimits = { readonly [K in keyof typeof DAPR_LIMITS]: number };
