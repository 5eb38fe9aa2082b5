import type { Clock } from '@perdure/clock';
import { PerdureError } from '@perdure/contract';
import { Bus, SERVICES, type Confirmation, type Envelope, type Service } from '@perdure/delivery';
import { DAPR_LIMITS, type DaprLimits } from './dapr-limits.js';
import type { DaprSidecar } from './dapr-sidecar.js';
import { DeliveryLane } from './delivery-lane.js';
import { toBody, toConfirmationMail, toMails, type Mail } from './mail.js';

/** Where the receivers' routes are: a direct call, and what the sidecar brings from the broker. */
export const DELIVERIES_METHOD = 'internal/deliveries';
export const DELIVERIES_EVENTS_PATH = '/internal/deliveries/pubsub';

/** The topic of a service's deliveries. */
export const deliveryTopic = (service: Service): string => `perdure.deliveries.${service}`;
/** Where deliveries end that no receiver could take: copies, for their outbox rows send them again until they are confirmed. */
export const DEAD_LETTER_TOPIC = 'perdure.dead-letters';
/** All of them: brokers that make no topics of themselves are to have them. */
export const DAPR_TOPICS: readonly string[] = [...SERVICES.map(deliveryTopic), DEAD_LETTER_TOPIC];

/** For the operator. Nothing is lost by any of these: what was not confirmed comes again (I4). */
export interface DaprBusEvents {
  notDelivered?(service: Service, way: Way, error: PerdureError): void;
  /** Too much waits for the service. */
  dropped?(service: Service, way: Way): void;
}

export type Way = 'direct' | 'pubsub';

export interface DaprBusOptions {
  readonly sidecar: Pick<DaprSidecar, 'invoke' | 'publishBulk'>;
  /** `false`: everything goes by pub/sub. */
  readonly direct?: boolean;
  /** The component; `false`: everything goes by direct calls. Default `pubsub`. */
  readonly pubsub?: string | false;
  /** Where a service is, if not under its own name: two meshes in one network must not hear each other. */
  readonly appIdOf?: (service: Service) => string;
  readonly topicOf?: (service: Service) => string;
  readonly clock: Clock;
  readonly defer?: (run: () => void) => void;
  readonly limits?: Partial<DaprLimits>;
  readonly events?: DaprBusEvents;
}

/**
 * Carries messages between the services of the mesh (design §8).
 *
 * 1. What is sent for the first time goes by direct call to the service: one for all that is said in a turn. What is sent again goes by
 *    pub/sub and by direct call in turn, so that no one way that is shut can keep two slices apart: pub/sub brings a slice's messages to the
 *    same node each time, which may be dead, while its sidecar lives.
 * 2. A confirmation whose call failed goes by pub/sub too: it has no one to send it again but the message that it confirms.
 * 3. An event that the broker would not take for its size goes by direct call each time.
 */
export class DaprBus extends Bus {
  readonly #options: DaprBusOptions;
  readonly #limits: DaprLimits;
  readonly #lanes = new Map<string, DeliveryLane>();
  readonly #pubsub: string | undefined;
  readonly #isDirect: boolean;
  #isClosed = false;

  constructor(options: DaprBusOptions) {
    super();
    this.#options = options;
    this.#limits = { ...DAPR_LIMITS, ...options.limits };
    this.#pubsub = options.pubsub === false ? undefined : (options.pubsub ?? 'pubsub');
    this.#isDirect = options.direct ?? true;
    if (!this.#isDirect && this.#pubsub === undefined) throw new PerdureError('invalid-request', 'A bus without direct calls and without pub/sub carries nothing.');
  }

  override send(envelope: Envelope): void {
    for (const mail of toMails(envelope, this.#limits.envelopeBytesMax)) this.#add(mail, envelope.isDetour ? 'pubsub' : 'direct');
  }

  override confirm(confirmation: Confirmation): void {
    this.#add(toConfirmationMail(confirmation), 'direct');
  }

  /** What was given to it has left, or failed; what is given to it from now on is dropped, as if lost on the way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    // A direct call that fails may still have confirmations published.
    for (const way of ['direct', 'pubsub'] as const) await Promise.all(SERVICES.map((service) => this.#lanes.get(`${way} ${service}`)?.idle()));
  }

  #add(mail: Mail, wanted: Way): void {
    if (this.#isClosed) return;
    this.#lane(mail.service, this.#wayOf(mail, wanted)).add(mail);
  }

  #wayOf({ bytes }: Mail, wanted: Way): Way {
    if (this.#pubsub === undefined) return 'direct';
    if (!this.#isDirect) return 'pubsub';
    return wanted === 'pubsub' && bytes > this.#limits.eventBytesMax ? 'direct' : wanted;
  }

  #lane(service: Service, way: Way): DeliveryLane {
    const name = `${way} ${service}`;
    const known = this.#lanes.get(name);
    if (known) return known;
    const { clock, defer = setImmediate, events } = this.#options;
    const lane = new DeliveryLane({
      limits: this.#limits,
      defer: (run) => void defer(run),
      later: (run) => clock.at(clock.now() + this.#limits.confirmAfterMs, run),
      send: (mails) => (way === 'direct' ? this.#invoke(service, mails) : this.#publish(service, mails)),
      failed: (mails, error) => {
        events?.notDelivered?.(service, way, error);
        if (way === 'direct' && this.#pubsub !== undefined) for (const mail of mails) if (mail.kind === 'confirmation') this.#lane(service, 'pubsub').add(mail);
      },
      dropped: () => events?.dropped?.(service, way),
    });
    this.#lanes.set(name, lane);
    return lane;
  }

  async #invoke(service: Service, mails: readonly Mail[]): Promise<void> {
    const answer = await this.#options.sidecar.invoke({ appId: this.#options.appIdOf?.(service) ?? service, method: DELIVERIES_METHOD }, toBody(mails), { headers: { 'content-type': 'application/json' }, timeoutMs: this.#limits.deliveryTimeoutMs });
    if (!answer.isSuccess) throw new PerdureError(answer.status === 400 ? 'invalid-request' : 'unavailable', `${service} took no deliveries: status ${answer.status} ${answer.text.slice(0, 500)}`);
  }

  async #publish(service: Service, mails: readonly Mail[]): Promise<void> {
    const events = mails.map((mail) => ({ event: toBody([mail]), partitionKey: mail.partitionKey }));
    await this.#options.sidecar.publishBulk({ pubsub: this.#pubsub!, topic: (this.#options.topicOf ?? deliveryTopic)(service) }, events, { timeoutMs: this.#limits.deliveryTimeoutMs });
  }
}
