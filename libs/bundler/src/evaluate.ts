import { createContext, Script } from 'node:vm';
import { PerdureError, type BundleManifest } from '@perdure/contract';
import { mapStack } from './map-stack.js';
import { SCRIPT } from './script.js';

const TIMEOUT_MS = 2_000;

/**
 * Evaluates a bundle once in an empty context, as a realm will, to tell what it holds and whether its modules evaluate at all. The code is the caller's own: this
 * is a check, and no sandbox.
 */
export const evaluateManifest = (code: string, sourceMap: string): BundleManifest => {
  try {
    const context = createContext({}, { codeGeneration: { strings: false, wasm: false } });
    new Script(code, { filename: SCRIPT }).runInContext(context, { timeout: TIMEOUT_MS });
    return JSON.parse(new Script('__perdure.manifest()').runInContext(context, { timeout: TIMEOUT_MS }) as string) as BundleManifest;
  } catch (error) {
    const { name = 'Error', message = String(error), stack = '' } = error as Partial<Error>;
    const where = mapStack(stack, sourceMap).split('\n').find((line) => /^\s+at /.test(line) && !line.includes(SCRIPT) && !line.includes('node:'))?.trim();
    throw new PerdureError('bundle-invalid', `The bundle does not evaluate: ${name}: ${message}${where === undefined ? '' : ` (${where})`}`, { cause: error });
  }
};
