import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A folder of this package, from the source as from the build. */
export const recipeFolder = (...path: readonly string[]): string => join(fileURLToPath(new URL('../..', import.meta.url)), ...path);
