import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { LIMITS, PerdureError, type BundleView } from '@perdure/contract';
import { Tenant, zod } from '@perdure/http';
import { assertName, bundleRequest, BundleRegistry } from '@perdure/ingestion';
import type { z } from 'zod';

@Controller('v1/bundles')
export class BundlesController {
  readonly #bundles: BundleRegistry;

  constructor(@Inject(BundleRegistry) bundles: BundleRegistry) {
    this.#bundles = bundles;
  }

  @Post()
  deploy(@Tenant() tenant: string, @Body(zod(bundleRequest)) body: z.output<typeof bundleRequest>): Promise<BundleView> {
    const bytes = Buffer.byteLength(body.code);
    if (bytes > LIMITS.bundleBytesMax) throw new PerdureError('payload-too-large', `The bundle is ${bytes} bytes long, over the ${LIMITS.bundleBytesMax} allowed.`);
    return this.#bundles.deploy(tenant, { name: assertName('name', body.name), code: body.code, ...(body.sourceMap === undefined ? {} : { sourceMap: body.sourceMap }) });
  }

  @Get()
  async list(@Tenant() tenant: string): Promise<{ readonly bundles: readonly BundleView[] }> {
    return { bundles: await this.#bundles.list(tenant) };
  }

  @Get(':hash')
  async show(@Tenant() tenant: string, @Param('hash') hash: string): Promise<BundleView> {
    const bundle = await this.#bundles.find(tenant, hash);
    if (!bundle) throw new PerdureError('unknown-bundle', `No bundle ${hash} is deployed.`);
    return bundle;
  }

  @Delete(':hash')
  @HttpCode(204)
  async retire(@Tenant() tenant: string, @Param('hash') hash: string): Promise<void> {
    await this.#bundles.retire(tenant, hash);
  }
}
