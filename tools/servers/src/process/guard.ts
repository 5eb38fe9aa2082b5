import { type ChildProcess, spawn } from 'node:child_process';

/** Seconds that a server has to end by itself once its parent is gone. */
const GRACE_TENTHS = 50;

/**
 * A shell that waits for the end of its standard input, which comes when the parent ends, however it ends (also by SIGKILL). Then it ends the server
 * and removes what was temporary.
 */
const GUARD = `
read -r _
pid=$1 signal=$2 folder=$3
children() { cat /proc/$pid/task/$pid/children 2>/dev/null || pgrep -P $pid; }
children=$(children)
kill -CONT $pid $children 2>/dev/null
kill -$signal $pid 2>/dev/null
i=0
while kill -0 $pid 2>/dev/null && [ $i -lt ${GRACE_TENTHS} ]; do sleep 0.1; i=$((i+1)); done
kill -KILL $pid $children 2>/dev/null
[ -z "$folder" ] || rm -rf "$folder"
`;

export interface Guarded {
  readonly pid: number;
  readonly stopSignal: NodeJS.Signals;
  /** Removed with the server. */
  readonly temporaryFolder?: string | undefined;
}

/** Sees to it that a server does not outlive this process. Call the result when the server has ended. */
export function guard({ pid, stopSignal, temporaryFolder = '' }: Guarded): () => void {
  // In a session of its own, so that a terminal's Ctrl-C does not take it before its time.
  const shell: ChildProcess = spawn('/bin/sh', ['-c', GUARD, 'perdure-guard', String(pid), stopSignal.replace('SIG', ''), temporaryFolder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  shell.on('error', () => undefined); // without a shell the server must be stopped, as it is in all but a crash
  shell.stdin?.on('error', () => undefined);
  shell.unref();
  (shell.stdin as unknown as { unref?(): void } | null)?.unref?.();
  return () => shell.kill('SIGKILL');
}
