import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { WASM_PAGE_BYTES, type SandboxLimits } from './limits.js';
import { patchModule } from './wasm-patch.js';

/** Raised by hand when the way the host drives the module changes what a realm's memory holds or what its code sees. */
const HOST_ABI = 1;

/** The interpreter, patched for one set of limits and compiled. */
export interface Engine {
  readonly module: WebAssembly.Module;
  readonly build: string;
  readonly dataStart: number;
  readonly freshPages: number;
  readonly maximumPages: number;
  readonly stackBytes: number;
}

export const GROW_IMPORT = 'fd_close';

export async function loadEngine(limits: SandboxLimits): Promise<Engine> {
  const source = await readFile(fileURLToPath(import.meta.resolve('quickjs-wasi/quickjs.wasm')));
  const maximumPages = limits.memoryBytes / WASM_PAGE_BYTES;
  const { bytes, dataStart, freshPages } = patchModule(source, {
    initialPages: limits.pooledBytesMax / WASM_PAGE_BYTES,
    maximumPages,
    stackBytes: limits.stackBytes,
    growImport: GROW_IMPORT,
  });
  const digest = createHash('sha256').update(bytes).update(`\0abi ${HOST_ABI}`).digest('hex');
  return { module: await WebAssembly.compile(bytes as BufferSource), build: digest.slice(0, 32), dataStart, freshPages, maximumPages, stackBytes: limits.stackBytes };
}
