import { createRequire } from 'node:module';
import type { WebhookDefinition } from '@octokit/webhooks-examples';

// The oracle: what the payloads themselves say. It imports nothing of the product.

export interface Payload {
  readonly action?: string;
  readonly number?: number;
  readonly issue?: { readonly number: number };
  readonly pull_request?: { readonly number: number };
  readonly repository?: { readonly full_name: string };
}

/** One webhook of GitHub's: what is sent, and which issue or pull request it is about, if any. */
export interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly payload: Payload;
  readonly about?: Subject;
}

export interface Subject {
  readonly repository: string;
  readonly number: number;
}

const subjectOf = ({ repository, issue, pull_request, number }: Payload): { readonly about?: Subject } => {
  const found = issue?.number ?? pull_request?.number ?? number;
  return repository === undefined || found === undefined ? {} : { about: { repository: repository.full_name, number: found } };
};

export const deliveryOf = (id: string, event: string, payload: Payload): Delivery => ({ id, event, payload, ...subjectOf(payload) });

/** Every example there is, each under a delivery id of its own. */
export const allDeliveries = (): readonly Delivery[] => {
  const definitions = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly WebhookDefinition[];
  return definitions.flatMap(({ name, examples }) => (examples as readonly Payload[]).map((payload, index) => deliveryOf(`${name}-${index}`, name, payload)));
};

/** `owner/name#number` */
export const nameOf = ({ repository, number }: Subject): string => `${repository}#${number}`;

/** The deliveries about each issue and pull request, by its name. */
export const bySubject = (deliveries: readonly Delivery[]): ReadonlyMap<string, readonly Delivery[]> => {
  const groups = new Map<string, Delivery[]>();
  for (const delivery of deliveries) {
    if (!delivery.about) continue;
    const name = nameOf(delivery.about);
    groups.set(name, [...(groups.get(name) ?? []), delivery]);
  }
  return groups;
};
