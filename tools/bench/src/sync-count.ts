import { spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Children } from './children.js';

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

/** Counts the syncs of servers that run already, with all that they start meanwhile. Watching slows them: every call stops, not only those that are counted. */
export class SyncWatch {
  readonly #children: Children;
  readonly #watcher: ChildProcess;
  readonly #path: string;

  private constructor(children: Children, watcher: ChildProcess, path: string) {
    this.#children = children;
    this.#watcher = watcher;
    this.#path = path;
  }

  /** @throws Error with what strace said when it may not watch one of them */
  static async start(children: Children, pids: readonly number[], path: string): Promise<SyncWatch> {
    const watcher = children.spawn('strace', ['-f', '-e', `trace=${CALLS}`, '-e', 'signal=none', '-o', path, ...pids.flatMap((pid) => ['-p', String(pid)])], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    const missing = new Set(pids);
    await Promise.race([
      once(watcher, 'error').then(([error]) => Promise.reject(error as Error)),
      once(watcher, 'exit').then(() => Promise.reject(new Error(`strace may not watch: ${said.trim().split('\n').at(-1) ?? ''}`))),
      new Promise<void>((resolve) => {
        watcher.stderr!.on('data', (chunk: Buffer) => {
          said += chunk.toString();
          for (const pid of missing) if (said.includes(`Process ${pid} attached`)) missing.delete(pid);
          if (missing.size === 0) resolve();
        });
      }),
    ]);
    return new SyncWatch(children, watcher, path);
  }

  get count(): number {
    return countSyncs(this.#path);
  }

  /** The servers go on unwatched. */
  async stop(): Promise<void> {
    await this.#children.end(this.#watcher, 'SIGINT');
  }
}
