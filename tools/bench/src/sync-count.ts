import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const CALLS = 'fsync,fdatasync,sync_file_range,msync';

/** Why the kernel's calls cannot be watched here; nothing when they can. strace needs no rights to watch what it starts, but must be there and be allowed. */
export const whyNotTraced = (): string | undefined => {
  const { error, status, stderr } = spawnSync('strace', [...straceArgs('/dev/null'), process.execPath, '-e', '0'], { encoding: 'utf8' });
  if (error) return 'strace is not installed';
  return status === 0 ? undefined : `strace may not watch a process here (${stderr.trim().split('\n').at(-1) ?? ''})`;
};

/** The watcher is a grandchild (-D), so that the pid is the server's own; a seccomp filter lets every other call through at full speed. */
export const straceArgs = (path: string): string[] => ['-D', '-f', '-qq', '--seccomp-bpf', '-e', `trace=${CALLS}`, '-o', path];

/** How often a server has synced so far. A call that blocks is written twice, `<unfinished ...>` and `<... resumed>`, and counts once. */
export const countSyncs = (path: string): number => syncsIn(readFileSync(path, 'utf8'));

export const syncsIn = (trace: string): number => trace.split('\n').filter((line) => /^(\d+ +)?(fsync|fdatasync|sync_file_range|msync)\(/.test(line)).length;
