import type { BundleView, ExternalEvent, HistoryPage, Input, InputOutcome, InputRef, Json, RunPage, RunResult, RunStatus, RunView, Scalar } from '@perdure/contract';

/** A workflow id's newest run, or one run of it. */
export interface RunRef {
  readonly tenant: string;
  readonly workflowId: string;
  readonly runId?: string;
}

/** `durable`: in the log, not yet processed. `decided`: processed and committed as well (one file holds both). */
export type Appended = { readonly kind: 'durable' } | { readonly kind: 'decided'; readonly outcome: InputOutcome };

/** The shard logs. When `append` resolves the inputs are durable (I1); when it rejects they may or may not be, and may be sent again under the same ids. */
export abstract class Log {
  abstract append(inputs: readonly Input[]): Promise<readonly Appended[]>;
}

/** What became of inputs, kept under their ids. */
export abstract class Outcomes {
  abstract find(ref: InputRef): Promise<InputOutcome | undefined>;
  /** What became of `input`: waits until `done` holds for the outcome or `untilMs` (epoch) has come; gives what is known then. Another input may have come under its id before. */
  abstract await(input: Input, wait: { readonly untilMs: number; readonly done: (outcome: InputOutcome) => boolean; readonly signal?: AbortSignal }): Promise<InputOutcome | undefined>;
}

export interface RunFilter {
  readonly status?: RunStatus;
  readonly workflowType?: string;
  readonly workflowId?: string;
  readonly attributes?: Readonly<Record<string, Scalar>>;
  readonly limit: number;
  readonly cursor?: string;
}

/** Committed runs, read without asking their owner. */
export abstract class RunReader {
  abstract find(ref: RunRef): Promise<RunView | undefined>;
  abstract list(tenant: string, filter: RunFilter): Promise<RunPage>;
  abstract history(ref: RunRef, page: { readonly after: number; readonly limit: number }): Promise<HistoryPage | undefined>;
  abstract result(ref: RunRef): Promise<RunResult | undefined>;
  /** Resolves when the run has closed, at `untilMs` (epoch), or when the signal aborts; never rejects for these. */
  abstract whenClosed(ref: RunRef, wait: { readonly untilMs: number; readonly signal?: AbortSignal }): Promise<void>;
}

/** Asks the shard's owner, on committed state (design §16). */
export abstract class Queries {
  /** @throws PerdureError `unknown-run`, `unknown-query`, `query-failed`, `run-suspended` */
  abstract query(ref: RunRef, query: { readonly name: string; readonly input?: Json }): Promise<{ readonly value?: Json }>;
}

export type EventReceipt = 'accepted' | 'duplicate';

/** The logs of correlation's slices. */
export abstract class EventLog {
  abstract append(events: readonly ExternalEvent[]): Promise<readonly EventReceipt[]>;
}

/** Turns what arrives from outside into an event with its keys. */
export abstract class EventTranslator {
  /** @throws PerdureError `invalid-request` */
  abstract fromCloudEvent(tenant: string, event: CloudEvent): ExternalEvent;
  /** Verifies the signature over the raw body first. `undefined`: a genuine delivery that is not an event (a ping). */
  abstract fromWebhook(delivery: WebhookDelivery): ExternalEvent | undefined;
}

/** https://github.com/cloudevents/spec, 1.0.2; extension attributes beside the named ones. */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  /** RFC 3339. */
  readonly time?: string;
  readonly datacontenttype?: string;
  readonly data?: Json;
  readonly [extension: string]: Json | undefined;
}

export interface WebhookDelivery {
  readonly source: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface NewBundle {
  readonly name: string;
  readonly code: string;
  readonly sourceMap?: string;
}

export abstract class BundleRegistry {
  /** Evaluates the bundle, keeps it and makes it the default for the workflows it holds. Deploying the same code again changes the defaults only. */
  abstract deploy(tenant: string, bundle: NewBundle): Promise<BundleView>;
  abstract list(tenant: string): Promise<readonly BundleView[]>;
  abstract find(tenant: string, hash: string): Promise<BundleView | undefined>;
  /** Hash of the bundle that new runs of the type take. */
  abstract defaultFor(tenant: string, workflowType: string): Promise<string | undefined>;
  /** @throws PerdureError `bundle-in-use`, `unknown-bundle` */
  abstract retire(tenant: string, hash: string): Promise<void>;
}
