import { readdirSync, readFileSync } from 'node:fs';

/** The kernel's USER_HZ, in which /proc counts CPU time; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export interface Usage {
  /** User and system time since the process began, with its threads, ended ones too. */
  readonly cpuS: number;
  readonly threads: ReadonlyMap<number, ThreadUsage>;
  readonly rssBytes: number;
}

interface ThreadUsage {
  readonly name: string;
  readonly cpuS: number;
}

interface Stat extends ThreadUsage {
  /** Of the children that have ended and were waited for, with theirs. */
  readonly endedChildrenS: number;
}

/** Field 2 is the name in parentheses and may itself hold any; fields 14 and 15 are user and system time, 16 and 17 the ended children's. */
export const parseStat = (text: string): Stat => {
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  const secondsFrom = (at: number): number => (Number(fields[at]) + Number(fields[at + 1])) / TICKS_PER_SECOND;
  return { name: text.slice(text.indexOf('(') + 1, end), cpuS: secondsFrom(11), endedChildrenS: secondsFrom(13) };
};

/** What the kernel says that a process has used. @throws Error when there is no such process, or no /proc */
export const usageOf = (pid: number): Usage => {
  const threads = new Map<number, ThreadUsage>();
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    const stat = readIfThere(`/proc/${pid}/task/${id}/stat`);
    if (stat !== undefined) threads.set(Number(id), parseStat(stat));
  }
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return { cpuS: parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).cpuS, threads, rssBytes: Number(rss?.[1] ?? 0) * 1024 };
};

/** The same with all that it has started, ended ones too: PostgreSQL has a process for each connection. Threads and memory are its own. */
export const usageOfTree = (pid: number): Usage => {
  const own = usageOf(pid);
  return { ...own, cpuS: treeOf(pid).reduce((total, each) => total + cpuWithEnded(each), 0) };
};

const cpuWithEnded = (pid: number): number => {
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat === undefined) return 0;
  const { cpuS, endedChildrenS } = parseStat(stat);
  return cpuS + endedChildrenS;
};

/** A process and all that live of those that it and they have started. */
export const treeOf = (pid: number): number[] => [pid, ...(readIfThere(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter((word) => word !== '').flatMap((child) => treeOf(Number(child)))];

/** CPU seconds that anything has used since the machine started. */
export const busyCpuS = (): number => busyOf(readFileSync('/proc/stat', 'utf8'));

/** `cpu user nice system idle iowait irq softirq steal …`: what a guest uses is in `user` already. */
export const busyOf = (stat: string): number => {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = stat.slice(0, stat.indexOf('\n')).split(/ +/).slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
};

/** A thread may end between the listing and the reading. */
const readIfThere = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
};

/** CPU seconds by group of threads between two readings: the main thread, those that share a name of their own (`worker-1`, `worker-2`: `worker`), the rest. */
export const threadGroups = (pid: number, before: Usage, after: Usage): Record<string, number> => {
  const processName = after.threads.get(pid)?.name;
  const groups: Record<string, number> = {};
  for (const [id, { name, cpuS }] of after.threads) {
    const group = id === pid ? 'main' : name === processName ? 'helpers' : name.replace(/[-_]?\d+$/, '');
    groups[group] = (groups[group] ?? 0) + cpuS - (before.threads.get(id)?.cpuS ?? 0);
  }
  return groups;
};
