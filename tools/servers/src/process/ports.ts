import { createServer } from 'node:net';
import getPort from 'get-port';
import { ServerError } from '../server-error.js';
import { claimPort } from './port-claims.js';

/** Below the range from which systems take ports for outgoing connections: such a connection could take the port between choice and use. */
const FIRST = 20_000;
const LAST = 31_999;
const TRIES = 20;

/** One that nothing listens on, and that no other process of this user was given. */
export async function freePort(): Promise<number> {
  for (;;) {
    const drawn = Array.from({ length: TRIES }, () => FIRST + Math.floor(Math.random() * (LAST - FIRST + 1)));
    const port = await getPort({ port: drawn, host: '127.0.0.1' });
    if (claimPort(port)) return port;
  }
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
