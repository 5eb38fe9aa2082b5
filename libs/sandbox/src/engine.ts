import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { EXPORTS } from './exports.js';
import { WASM_PAGE_BYTES, type SandboxLimits } from './limits.js';
import { patchModule } from './wasm-patch.js';

/** Raised by hand when the way the host drives the module changes what a realm's memory holds or what its code sees. */
const HOST_ABI = 2;

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
export const TICK_IMPORT = 'host_interrupt';

export async function loadEngine(limits: SandboxLimits): Promise<Engine> {
  const source = await readFile(fileURLToPath(import.meta.resolve('quickjs-wasi/quickjs.wasm')));
  const maximumPages = limits.memoryBytes / WASM_PAGE_BYTES;
  const { bytes, dataStart, freshPages } = patchModule(source, {
    maximumPages,
    stackBytes: limits.stackBytes,
    exports: new Set(EXPORTS),
    growImport: GROW_IMPORT,
    tickImport: TICK_IMPORT,
  });
  const digest = createHash('sha256').update(bytes).update(`\0abi ${HOST_ABI}`).digest('hex');
  return { module: await WebAssembly.compile(bytes as BufferSource), build: digest.slice(0, 32), dataStart, freshPages, maximumPages, stackBytes: limits.stackBytes };
}
