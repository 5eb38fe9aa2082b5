import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { PROBE_MS_MAX } from './limits.js';

export interface Ask {
  readonly port: number;
  readonly send: Uint8Array;
  /** By TLS: the path of the certificate of who has signed the server's. */
  readonly authority?: string | undefined;
  /** Whether what has come so far is the answer; throws when it is a refusal. */
  isAnswer(received: Buffer): boolean;
}

/** Connects, sends, and returns when the answer has come. */
export function askTcp({ port, send, authority, isAnswer }: Ask): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const [to, connected] = [{ port, host: '127.0.0.1' }, (): unknown => socket.write(send)];
    const socket: Socket = authority === undefined ? connect(to, connected) : connectTls({ ...to, ca: readFileSync(authority) }, connected);
    const end = (fault?: Error): void => {
      socket.destroy();
      if (fault) reject(fault);
      else resolve();
    };
    socket.setTimeout(PROBE_MS_MAX, () => end(new Error('no answer in time')));
    socket.on('error', end);
    socket.on('close', () => end(new Error('it closed the connection')));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      try {
        if (isAnswer(received)) end();
      } catch (error) {
        end(error as Error);
      }
    });
  });
}

/** Asks over HTTP; the answer must be a 2xx that `isAnswer` takes. */
export async function askHttp(url: string, isAnswer: (body: string) => boolean = () => true): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_MS_MAX) });
  const body = await response.text();
  if (!response.ok || !isAnswer(body)) throw new Error(`it answers ${response.status} ${detailOf(body) ?? body.slice(0, 100)}`);
}

/** A problem document says in its detail what it is about. */
function detailOf(body: string): string | undefined {
  try {
    const { detail } = JSON.parse(body) as { readonly detail?: unknown };
    return typeof detail === 'string' ? detail : undefined;
  } catch {
    return undefined;
  }
}
