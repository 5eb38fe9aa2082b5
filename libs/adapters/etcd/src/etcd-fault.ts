import { PerdureError } from '@perdure/contract';

/** gRPC's code for "there is no such thing". */
const NOT_FOUND = 5;
/** And for "who are you?". */
const UNAUTHENTICATED = 16;
/** etcd's users or their rights have changed since the token was given. */
const OLD_REVISION = 'revision of auth store is old';

/** etcd could not be reached, or has refused a call. `grpcCode`: what it said. */
export class EtcdFault extends PerdureError {
  override readonly name = 'EtcdFault';
  readonly grpcCode: number | undefined;

  constructor(message: string, options: { readonly grpcCode?: number; readonly cause?: unknown } = {}) {
    super('unavailable', message, { cause: options.cause });
    this.grpcCode = options.grpcCode;
  }
}

export const isEtcdFault = (error: unknown): error is EtcdFault => error instanceof Error && error.name === 'EtcdFault';

/** The lease of the call has run out, or etcd has lost its data. */
export const isLeaseGone = (error: unknown): boolean => isEtcdFault(error) && error.grpcCode === NOT_FOUND;

/** The call was not let in, and may be with a new token. */
export const isTokenRefused = (error: unknown): boolean => isEtcdFault(error) && (error.grpcCode === UNAUTHENTICATED || error.message.includes(OLD_REVISION));
