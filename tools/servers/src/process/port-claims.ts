import { lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { isRunning } from './process-tree.js';

/** A claim of a process that has ended, or of an id that another process has by now, is nobody's. */
const CLAIM_MS_MAX = 3_600_000;

/**
 * Says to the user's other processes that a port is this one's. Between its choice and the moment a server listens there are seconds in which nothing on the machine shows it, and tests
 * run side by side. A claim is a symbolic link that names its holder: made in one step, with its content.
 *
 * @returns whether the port was to be had
 */
export function claimPort(port: number, folder = claimsFolder()): boolean {
  mkdirSync(folder, { recursive: true });
  const claim = join(folder, String(port));
  if (isStale(claim)) rmSync(claim, { force: true });
  try {
    symlinkSync(String(process.pid), claim);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

const claimsFolder = (): string => join(tmpdir(), `perdure-ports-${userInfo().uid}`);

function isStale(claim: string): boolean {
  try {
    return !isRunning(Number(readlinkSync(claim))) || Date.now() - lstatSync(claim).mtimeMs > CLAIM_MS_MAX;
  } catch {
    return false; // there is none
  }
}
