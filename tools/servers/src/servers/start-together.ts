import type { ServerProcess } from '../process/server-process.js';

/** Servers that need each other to answer. When one does not start, the others are ended. */
export async function startTogether<T>(members: readonly T[], start: (member: T) => Promise<ServerProcess>): Promise<readonly ServerProcess[]> {
  const starting = await Promise.allSettled(members.map(start));
  const started = starting.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = starting.find((each) => each.status === 'rejected');
  if (!failed) return started;
  await Promise.all(started.map((server) => server.stop()));
  throw failed.reason;
}
