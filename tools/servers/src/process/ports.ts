import { createServer } from 'node:net';
import getPort from 'get-port';
import { ServerError } from '../server-error.js';

/** Below the range from which systems take ports for outgoing connections: such a connection could take the port between choice and use. */
const FIRST = 20_000;
const LAST = 31_999;
const TRIES = 20;

export function freePort(): Promise<number> {
  const drawn = Array.from({ length: TRIES }, () => FIRST + Math.floor(Math.random() * (LAST - FIRST + 1)));
  return getPort({ port: drawn, host: '127.0.0.1' });
}

/** One line for the person who gave a port that another program has. */
export async function requireFreePort(name: string, port: number): Promise<void> {
  const fault = await listeningFault(port);
  if (fault !== undefined) throw new ServerError(`${name}: port ${port} is ${fault.code === 'EADDRINUSE' ? 'taken by another program' : `not to be had (${fault.message})`}`);
}

function listeningFault(port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
