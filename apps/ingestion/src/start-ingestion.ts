import { LIMITS } from '@perdure/contract';
import { createHttpApp } from '@perdure/http';
import { ApiKeys } from '@perdure/ingestion';
import { ApiKeyAuthenticator, SoleTenantAuthenticator } from '@perdure/ingestion-feature';
import { NodeAuthenticator, NodeHealth, nodeHttpOptions, type MeshParts, type MeshServer } from '@perdure/mesh';
import { AppModule } from './app-module.js';

/** Serves the public API, and joins the others, so that history's hints find it. */
export const startIngestion = async (parts: MeshParts): Promise<MeshServer> => {
  const { config, self, membership } = parts;
  const health = new (class extends NodeHealth {
    override async unready(): Promise<string | undefined> {
      return undefined;
    }
    override owned(): number {
      return 0;
    }
  })();
  const callers = config.apiKeys.length > 0 ? new ApiKeyAuthenticator(new ApiKeys(config.apiKeys)) : new SoleTenantAuthenticator(config.tenant);
  const options = nodeHttpOptions(parts);
  const { nest } = await createHttpApp(AppModule.register(parts, health), {
    ...options,
    authenticator: new NodeAuthenticator(config.nodeToken, callers),
    bodyBytesMax: LIMITS.payloadBytesMax,
    bodyBytesMaxByPrefix: { ...options.bodyBytesMaxByPrefix, '/v1/bundles': LIMITS.bundleBytesMax * 4, '/v1/tasks/': LIMITS.payloadBytesMax * 8 },
  });
  await nest.listen(config.port, config.host);
  await membership.join(self);
  health.hasJoined = true;
  return {
    url: await nest.getUrl(),
    close: async () => {
      health.isDraining = true;
      await membership.leave();
      await nest.close();
      await parts.close();
    },
  };
};
