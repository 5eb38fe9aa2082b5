import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Program } from '../programs/program.js';
import { freePort } from './ports.js';
import { ServerProcess, type ServerSpec } from './server-process.js';

export interface StartOptions {
  readonly program: Program;
  /** What people call it, when there are several: "history-0's daprd". By default the program's name. */
  readonly name?: string;
  /** The port clients use; a free one by default. */
  readonly port?: number;
  /** Where its data and log are kept. By default a temporary folder, removed with the server. */
  readonly folder?: string;
}

/** What of a server's specification does not depend on which server it is. */
export interface Ground {
  readonly name: string;
  readonly port: number;
  readonly folder: string;
  readonly temporary: boolean;
  readonly logFile: string;
}

/** Prepares the ground, has the recipe say what is run on it, and starts that. Where this fails, what was temporary is removed. */
export async function startServer(options: StartOptions, recipe: (ground: Ground) => Promise<Omit<ServerSpec, keyof Ground>>): Promise<ServerProcess> {
  const ground = await groundFor(options);
  try {
    return await ServerProcess.start({ ...ground, ...(await recipe(ground)) });
  } catch (error) {
    if (ground.temporary) await rm(ground.folder, { recursive: true, force: true });
    throw error;
  }
}

async function groundFor({ program, name = program.name, port, folder }: StartOptions): Promise<Ground> {
  const own = folder ?? (await mkdtemp(join(tmpdir(), `perdure-${program.name}-`)));
  await mkdir(own, { recursive: true });
  // PostgreSQL's user must be able to go through it.
  if (folder === undefined) await chmod(own, 0o711);
  return { name, port: port ?? (await freePort()), folder: own, temporary: folder === undefined, logFile: join(own, `${name}.log`) };
}
