import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildProcess } from 'node:child_process';

/** Free now; all are held open together, so that no two are the same. */
export const freePorts = async (count: number): Promise<number[]> => {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => server.listening || once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
};

/** Resolves when the address answers; rejects with what the server wrote when it ends before, or after a minute. */
export const untilReady = async (url: string, child: ChildProcess): Promise<void> => {
  const output = outputOf(child);
  const deadline = performance.now() + 60_000;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ended with ${child.exitCode ?? child.signalCode}: ${output()}`);
    if (performance.now() > deadline) throw new Error(`${url} is not ready after a minute: ${output()}`);
    if (await fetch(url).then(({ ok }) => ok, () => false)) return;
    await sleep(20);
  }
};

const KEPT_OUTPUT = 4_000;

const outputOf = (child: ChildProcess): (() => string) => {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-KEPT_OUTPUT)));
  return () => output;
};

/** A forked process says that it is ready by its first message. */
export const untilSaysReady = async (child: ChildProcess): Promise<void> => {
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${child.spawnargs.join(' ')} ended with ${String(code)}`);
    }),
  ]);
};
