import { Controller, Get, Inject, Module, Query, type DynamicModule } from '@nestjs/common';
import { LIMITS } from '@perdure/contract';
import { WaitReader, type WaitView } from '@perdure/correlation';
import { Tenant, zod } from '@perdure/http';
import { z } from 'zod';

const waitsQuery = z.strictObject({ workflowId: z.string().min(1).max(LIMITS.idBytesMax) });

/** What runs wait for. */
@Controller('v1/waits')
export class WaitsController {
  readonly #waits: WaitReader;

  constructor(@Inject(WaitReader) waits: WaitReader) {
    this.#waits = waits;
  }

  @Get()
  async list(@Tenant() tenant: string, @Query(zod(waitsQuery)) { workflowId }: z.output<typeof waitsQuery>): Promise<{ readonly waits: readonly WaitView[] }> {
    return { waits: await this.#waits.ofWorkflow(tenant, workflowId) };
  }
}

@Module({})
export class CorrelationModule {
  static register(adapters: { readonly waits: () => WaitReader }): DynamicModule {
    return { module: CorrelationModule, controllers: [WaitsController], providers: [{ provide: WaitReader, useFactory: adapters.waits }] };
  }
}
