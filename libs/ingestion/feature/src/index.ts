export { ApiKeyAuthenticator, SoleTenantAuthenticator } from './authenticators.js';
export { IngestionModule } from './ingestion-module.js';
export type { IngestionAdapters } from './ingestion-module.js';
export { OpenApiController, readOpenApi } from './openapi-controller.js';
