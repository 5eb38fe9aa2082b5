/**
 * A token names one hand-out of one attempt: `slice.epoch.attempt.nonce.key`. The nonce cannot be guessed and differs for each hand-out.
 * Which tasks a token can speak for is bounded by the tenant of the credential beside it, never by the token alone.
 */
export interface ParsedToken {
  /** Which slice of the scheduler gave it. */
  readonly slice: number;
  readonly epoch: number;
  readonly attempt: number;
  readonly key: string;
}

const TOKEN = /^(\d{1,9})\.(\d{1,15})\.(\d{1,15})\.[0-9a-z-]{1,64}\.(.+)$/su;

export const formatToken = ({ slice, epoch, attempt, key }: ParsedToken, nonce: string): string => `${slice}.${epoch}.${attempt}.${nonce}.${key}`;

/** `undefined` for what is not a token: workers may send anything. */
export const parseToken = (token: string): ParsedToken | undefined => {
  const match = TOKEN.exec(token);
  return match ? { slice: Number(match[1]), epoch: Number(match[2]), attempt: Number(match[3]), key: match[4]! } : undefined;
};
