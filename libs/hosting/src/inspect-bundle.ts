import { createHash } from 'node:crypto';
import type { Sandbox } from '@perdure/sandbox';
import { workflowsOf } from './bundle-manifest.js';

export interface InspectedBundle {
  /** SHA-256 of the code, hex. */
  readonly hash: string;
  readonly workflows: readonly string[];
}

/** Evaluates code as a bundle. @throws PerdureError `bundle-invalid` */
export const inspectBundle = (sandbox: Sandbox, code: string): InspectedBundle => {
  const hash = createHash('sha256').update(code).digest('hex');
  return { hash, workflows: workflowsOf(sandbox.loadBundle({ hash, code }).manifest) };
};
