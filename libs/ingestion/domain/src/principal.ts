/** Whom a credential stands for. */
export interface Principal {
  readonly tenant: string;
}
