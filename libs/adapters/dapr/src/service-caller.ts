import { SERVICES, type MeshNode } from '@perdure/delivery';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** In which a sidecar says whose call it brings. */
export const CALLER_HEADER = 'dapr-caller-app-id';

const CALLERS: readonly string[] = ['ingestion', ...SERVICES] satisfies readonly MeshNode['service'][];

/**
 * Which service of the mesh a call through the sidecars is from; `undefined`: none of them. For routes that an access policy cannot keep
 * apart (`components/README.md`): it is as true as the sidecars' certificates, and a call that went by none has no caller at all.
 */
export const serviceCallerOf = (headers: Headers): MeshNode['service'] | undefined => {
  const given = headers[CALLER_HEADER];
  // A caller may send the header too: the sidecar's own word comes behind it.
  const last = (typeof given === 'string' ? given.split(',') : (given ?? [])).at(-1)?.trim();
  return CALLERS.find((name): name is MeshNode['service'] => name === last);
};
