import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { cp, mkdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { cached, cacheKey } from '../cache.js';
import type { Program } from '../programs/program.js';
import { SilentProgress } from '../progress.js';
import { run } from '../run.js';
import { ServerError } from '../server-error.js';

export interface OsUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root. As root it runs as its own user, or as nobody where that user does not exist; else as who we are. */
export function postgresUser(): OsUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return userNamed('postgres') ?? userNamed('nobody');
}

function userNamed(name: string): OsUser | undefined {
  try {
    const id = (flag: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    return { name, uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined; // there is no such user
  }
}

/** The program's folder as that user can reach it. The cache of root is usually closed to others: then a copy goes where all may read. */
export async function reachableProgram(program: Program, user: OsUser | undefined): Promise<string> {
  if (user === undefined || (await canReach(user, join(program.path, 'postgres')))) return program.path;
  if (program.from === 'machine') throw new ServerError(`postgres does not run as root, and user ${user.name} cannot reach ${program.path}`);
  const open = join(tmpdir(), 'perdure-programs');
  await mkdir(open, { recursive: true });
  if ((await stat(open)).uid !== process.getuid?.()) throw new ServerError(`${open} is somebody else's: remove it`);
  const key = cacheKey({ name: program.name, version: program.version, inputs: [program.path] });
  const place = await cached({ cacheFolder: open, key, progress: new SilentProgress() }, (folder) =>
    cp(dirname(program.path), folder, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE }),
  );
  return join(place, basename(program.path));
}

/** Its data lie in that folder: every folder above it must let the user through. */
export async function requireReachable(folder: string, user: OsUser | undefined): Promise<void> {
  if (user && !(await canReach(user, folder))) throw new ServerError(`postgres does not run as root, and user ${user.name} cannot reach ${folder}: give a folder that others may go through`);
}

const canReach = (user: OsUser, path: string): Promise<boolean> =>
  run('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { cwd: '/', uid: user.uid, gid: user.gid }).then(
    () => true,
    () => false,
  );
