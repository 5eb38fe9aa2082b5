import { LIMITS, PerdureError, type BundleManifest } from '@perdure/contract';

/** The bundle's runtime is the user's: what it says of itself may be anything. @throws PerdureError `bundle-invalid` */
export const workflowsOf = (manifest: string): readonly string[] => {
  const { workflows } = (parsed(manifest) ?? {}) as Partial<BundleManifest>;
  if (Array.isArray(workflows) && workflows.every((name) => typeof name === 'string' && name !== '' && name.length <= LIMITS.nameBytesMax)) return workflows;
  throw new PerdureError('bundle-invalid', 'The runtime in the bundle does not tell which workflows it has.');
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
