import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '@perdure/clock';
import { Webhook } from 'standardwebhooks';

export interface Delivery {
  /** The same for each sending of one event: the receiver knows it by this. */
  readonly id: string;
  readonly body: { readonly type: string; readonly [name: string]: string };
}

export interface SenderOptions {
  /** Where deliveries are posted. */
  readonly url: string;
  /** `whsec_BASE64`. */
  readonly secret: string;
  readonly clock: Clock;
  /** Ends the sending, and the waiting for another try. */
  readonly stopped: AbortSignal;
  /** From one try to the next. Default 500. */
  readonly tryAgainMs?: number;
}

const TRIES_MAX = 10;

/** Sends signed webhooks by https://www.standardwebhooks.com: again while nobody answers or the receiver is busy, each try with its own time and signature. */
export class SignedWebhooks {
  readonly #options: SenderOptions;
  readonly #webhook: Webhook;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#webhook = new Webhook(options.secret);
  }

  /** @throws Error when it is refused, or not taken in some tries */
  async send(delivery: Delivery): Promise<void> {
    const { stopped, tryAgainMs = 500 } = this.#options;
    for (let tries = 1; !stopped.aborted; tries++) {
      const answer = await this.#post(delivery).catch((error: Error) => error);
      if (!(answer instanceof Error) && answer.ok) return;
      const why = answer instanceof Error ? answer.message : `${answer.status} ${await answer.text()}`;
      if (tries === TRIES_MAX || !isPassing(answer)) throw new Error(`the webhook ${delivery.id} was not taken: ${why}`);
      await pause(tryAgainMs, undefined, { signal: stopped }).catch(() => undefined);
    }
  }

  #post({ id, body }: Delivery): Promise<Response> {
    const { url, clock, stopped } = this.#options;
    const text = JSON.stringify(body);
    const at = new Date(clock.now());
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': this.#webhook.sign(id, at, text),
    };
    return fetch(url, { method: 'POST', headers, body: text, signal: stopped });
  }
}

const isPassing = (answer: Response | Error): boolean => answer instanceof Error || answer.status === 503 || answer.status === 429;
