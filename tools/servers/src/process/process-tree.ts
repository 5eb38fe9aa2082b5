import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';

const BETWEEN_LOOKS_MS = 1;
const HOLD_MS_MAX = 5_000;

/** Not every Linux is built with it, and no other system has it. */
const TELLS_CHILDREN = existsSync(`/proc/${process.pid}/task/${process.pid}/children`);

/**
 * Holds a process and all that it started, and gives their ids. PostgreSQL's backends are no members of its process group, so this goes by descent. Each is
 * seen standing still before its children are listed: a stop takes effect when the system comes to it, and until then the process answers and starts others.
 */
export async function holdTree(pid: number): Promise<number[]> {
  signal(pid, 'SIGSTOP');
  await until(() => isStill(pid));
  const held = [pid];
  for (const child of childrenOf(pid)) held.push(...(await holdTree(child)));
  return held;
}

/** Kills a process and all that it started, and returns when none of them has its memory and files any more. */
export async function killTree(pid: number): Promise<void> {
  const held = await holdTree(pid);
  for (const each of held) signal(each, 'SIGKILL');
  await until(() => !held.some(isRunning));
}

/** A process that has ended meanwhile needs no signal. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whether a process still has its memory and its files: one that only waits to be noticed by its parent has not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !'ZX'.includes(stateOf(pid) ?? 'R');
}

function isStill(pid: number): boolean {
  const state = stateOf(pid);
  return state === undefined || 'TtZX'.includes(state);
}

/** Linux's letter for it: R, S, D, T (stopped), Z (zombie), X. `undefined` where it has gone, or where there is no telling. */
function stateOf(pid: number): string | undefined {
  return /^State:\s+(\S)/m.exec(procFile(`/proc/${pid}/status`))?.[1];
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + HOLD_MS_MAX;
  while (!condition() && performance.now() < deadline) await after(BETWEEN_LOOKS_MS);
}

function childrenOf(pid: number): number[] {
  const text = TELLS_CHILDREN ? procFile(`/proc/${pid}/task/${pid}/children`) : pgrepChildren(pid);
  return text.split(/\s+/).filter((word) => word !== '').map(Number);
}

function procFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // the process has ended
  }
}

function pgrepChildren(pid: number): string {
  try {
    return execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
  } catch {
    return ''; // pgrep ends with 1 when there are none
  }
}
