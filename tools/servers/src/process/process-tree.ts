import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process and all that it started, itself first. PostgreSQL's backends are no members of its process group, so signals must go by descent. */
export function processTree(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(processTree)];
}

/** Sends a signal to a process and its descendants; those that have ended meanwhile are what was wanted. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  for (const each of processTree(pid)) signalOne(each, signal);
}

export function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function childrenOf(pid: number): number[] {
  return numbersIn(process.platform === 'linux' ? linuxChildren(pid) : pgrepChildren(pid));
}

const numbersIn = (text: string): number[] => text.split(/\s+/).filter((word) => word !== '').map(Number);

function linuxChildren(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  } catch {
    return ''; // it has ended
  }
}

function pgrepChildren(pid: number): string {
  try {
    return execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
  } catch {
    return ''; // pgrep ends with 1 when there are none
  }
}
