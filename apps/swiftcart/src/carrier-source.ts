/** A webhook source for the server's configuration, as `webhooks.NAME`. */
export interface CarrierSource {
  readonly tenant: string;
  readonly scheme: { readonly kind: 'standard' };
  readonly secrets: string[];
  readonly time: string;
  readonly keys: Record<string, string>;
}

/** The carrier's deliveries go to `/v1/webhooks/swiftcart-carrier`. */
export const CARRIER_SOURCE = 'swiftcart-carrier';

/** How the server verifies the carrier's scans (https://www.standardwebhooks.com), and draws from them what `deliver` matches. */
export const carrierSource = (tenant: string, secret: string): CarrierSource => ({
  tenant,
  scheme: { kind: 'standard' },
  secrets: [secret],
  time: 'body.at',
  keys: { tracking: 'body.tracking' },
});
