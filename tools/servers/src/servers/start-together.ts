import type { ServerProcess } from '../process/server-process.js';

export interface Together<T> {
  /** Draws the ports, which every member is told before the first one listens. */
  readonly members: () => Promise<readonly T[]>;
  readonly start: (member: T, members: readonly T[]) => Promise<ServerProcess>;
}

/** Servers that need each other to answer. In the seconds until they listen the system may give one of their ports away, to an outgoing connection for instance: then they start once more, on others. */
export async function startTogether<T>({ members, start }: Together<T>): Promise<readonly ServerProcess[]> {
  const attempt = async (): Promise<readonly ServerProcess[]> => {
    const all = await members();
    return startAll(all, (member) => start(member, all));
  };
  return attempt().catch((error: Error) => {
    console.error(`perdure: ${error.message}; trying once more`);
    return attempt();
  });
}

/** When one does not start, the others are ended. */
async function startAll<T>(members: readonly T[], start: (member: T) => Promise<ServerProcess>): Promise<readonly ServerProcess[]> {
  const starting = await Promise.allSettled(members.map(start));
  const started = starting.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = starting.find((each) => each.status === 'rejected');
  if (!failed) return started;
  await Promise.all(started.map((server) => server.stop()));
  throw failed.reason;
}
