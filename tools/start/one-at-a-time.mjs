// Installing and building write what another script of the same clone reads: two terminals may ask for both at once.
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const BETWEEN_LOOKS_MS = 100;

/** Does the work while no other script of this clone does it: the lock is a file that names its holder, and one whose holder has ended is nobody's. */
export const oneAtATime = (root, work) => {
  const lock = join(root, '.cache', 'starter.lock');
  const mine = `${lock}.${process.pid}`;
  if (!announce(mine)) return work();
  // Also where the work ends this process.
  const release = () => [mine, ...(holderOf(lock) === process.pid ? [lock] : [])].forEach((file) => rmSync(file, { force: true }));
  process.once('exit', release);
  takeInTurn(lock, mine);
  const result = work();
  process.off('exit', release);
  release();
  return result;
};

/** A clone that this user may only read has nothing to wait for: nothing will be installed or built in it. */
const announce = (mine) => {
  try {
    mkdirSync(dirname(mine), { recursive: true });
    writeFileSync(mine, String(process.pid));
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(error.code)) return false;
    throw error;
  }
};

const takeInTurn = (lock, mine) => {
  let told = false;
  while (!take(lock, mine)) {
    const holder = holderOf(lock);
    if (holder !== undefined && !isRunning(holder)) rmSync(lock, { force: true });
    else if (holder !== undefined && !told) {
      console.error(`perdure: waiting for process ${holder}, which installs or builds here (${lock} says so) …`);
      told = true;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BETWEEN_LOOKS_MS);
  }
};

/** A link is made with its content, so that nobody reads a lock without a holder. */
const take = (lock, mine) => {
  try {
    linkSync(mine, lock);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
};

/** `undefined` when there is none any more. */
const holderOf = (lock) => {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch {
    return undefined;
  }
};

const isRunning = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};
