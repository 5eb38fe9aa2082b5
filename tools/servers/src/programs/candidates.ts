import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ServersConfig } from '../config.js';
import { run } from '../run.js';
import type { Candidate } from './program.js';

/** Executables of that name, on PATH first, then in folders where installers put them. */
export function executables(name: string, config: ServersConfig, elsewhere: readonly string[] = []): string[] {
  return [...config.path, ...elsewhere].map((folder) => join(folder, name)).filter(isExecutable);
}

export const withVersionFlag = (path: string): Candidate => ({ path, version: () => run(path, ['--version'], { cwd: dirname(path) }) });

/** The entries of a folder, newest version first; none if there is no such folder. */
export function versionsIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort((a, b) => b.localeCompare(a, 'en', { numeric: true })).map((name) => join(folder, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // not there, or not for us: the next one may be
  }
}
