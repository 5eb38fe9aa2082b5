import type { DaprSidecar } from '@perdure/dapr';
import type { Invoker } from '@perdure/mesh';

/** Asks by Dapr service invocation. */
export const sidecarInvoker = (sidecar: DaprSidecar): Invoker => ({
  invoke: (appId, method, { body, timeoutMs, signal }) => sidecar.invoke({ appId, method }, body, { timeoutMs, ...(signal ? { signal } : {}) }),
});
