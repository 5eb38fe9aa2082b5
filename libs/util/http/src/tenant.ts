import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { PerdureError } from '@perdure/contract';
import type { FastifyRequest } from 'fastify';
import type { Principal } from './authenticator.js';

declare module 'fastify' {
  interface FastifyRequest {
    principal?: Principal;
  }
}

/** Parameter decorator: the tenant whose credential came with the request. */
export const Tenant = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const { principal } = context.switchToHttp().getRequest<FastifyRequest>();
  if (!principal) throw new PerdureError('unauthenticated', 'The request carries no credential.');
  return principal.tenant;
});
