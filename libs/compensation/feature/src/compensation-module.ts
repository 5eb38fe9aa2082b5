import { Controller, Get, Inject, Module, Query, type DynamicModule } from '@nestjs/common';
import { AuditLog, type AuditPage } from '@perdure/compensation';
import { LIMITS } from '@perdure/contract';
import { Tenant, zod } from '@perdure/http';
import { z } from 'zod';

const auditQuery = z.strictObject({ 
  workflowId: z.string().min(1).max(LIMITS.idBytesMax).optional(),
  cursor: z.string().min(1).max(LIMITS.nameBytesMax).optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageMax).default(100),
});

/** What was undone, why and how it went. */
@Controller('v1/audit')
export class AuditController {
  readonly #audit: AuditLog;

  constructor(@Inject(AuditLog) audit: AuditLog) {
    this.#audit = audit;
  }

  @Get()
  list(@Tenant() tenant: string, @Query(zod(auditQuery)) { workflowId, cursor, limit }: z.output<typeof auditQuery>): Promise<AuditPage> {
    return this.#audit.list(tenant, { limit, ...(workflowId ? { workflowId } : {}), ...(cursor ? { cursor } : {}) });
  }
}

@Module({})
export class CompensationModule {
  static register(adapters: { readonly audit: () => AuditLog }): DynamicModule {
    return { module: CompensationModule, controllers: [AuditController], providers: [{ provide: AuditLog, useFactory: adapters.audit }] };
  }
}
