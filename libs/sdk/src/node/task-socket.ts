import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';

export type TaskCall = 'poll' | 'answers' | 'heartbeats';

/** The server, or something on the way to it, opens no socket. */
export class NoSocket extends Error {}

/** What a request would have been answered. */
export interface SocketAnswer {
  readonly status: number;
  /** JSON text. */
  readonly body: string;
}

class Refused extends Error {
  readonly answer: SocketAnswer;

  constructor(answer: SocketAnswer) {
    super(`The socket was refused with ${answer.status}.`);
    this.answer = answer;
  }
}

interface Waiting {
  readonly resolve: (answer: SocketAnswer) => void;
  readonly reject: (error: Error) => void;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** The server asks a connection every 15 s whether it is there; one that was not asked for so long is cut. */
const SILENT_MS = 40_000;

/** The workers' API over one WebSocket, opened when it is needed, and again after it was lost. A message costs a fraction of a request. */
export class TaskSocket {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  #connection: Promise<Connection> | undefined;

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    const base = new URL(url);
    this.#url = `${base.origin.replace(/^http/, 'ws')}${base.pathname.replace(/\/$/, '')}/v1/tasks/socket`;
    this.#headers = headers;
  }

  /**
   * @param body JSON text
   * @throws NoSocket; Error when there is no connection, or it was lost before the answer
   */
  async ask(call: TaskCall, body: string, signal?: AbortSignal): Promise<SocketAnswer> {
    try {
      const connection = await (this.#connection ??= this.#connect());
      signal?.throwIfAborted();
      return await connection.ask(call, body, signal);
    } catch (error) {
      if (error instanceof Refused) return error.answer;
      throw error;
    }
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    connection?.close();
  }

  #connect(): Promise<Connection> {
    const forget = (): void => {
      if (this.#connection === connecting) this.#connection = undefined;
    };
    const connecting = Connection.open(this.#url, this.#headers, forget);
    connecting.catch(forget);
    return connecting;
  }
}

class Connection {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, Waiting>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** `onClosed`: it is of no use any more. */
  static open(url: string, headers: Readonly<Record<string, string>>, onClosed: () => void): Promise<Connection> {
    const socket = new WebSocket(url, { headers, perMessageDeflate: false, handshakeTimeout: CONNECT_TIMEOUT_MS, maxPayload: 0 });
    const connection = new Connection(socket);
    const silent = setTimeout(() => socket.terminate(), SILENT_MS);
    socket.on('ping', () => silent.refresh());
    socket.on('message', (data: Buffer) => {
      silent.refresh();
      connection.#receive(data.toString());
    });
    socket.once('close', (code: number) => {
      clearTimeout(silent);
      onClosed();
      connection.#failAll(new Error(`The connection was closed (${code}).`));
    });
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(connection));
      socket.once('unexpected-response', (_request, response) => void refusalOf(response).then(reject, reject).finally(() => socket.terminate()));
      socket.on('error', reject);
    });
  }

  ask(call: TaskCall, body: string, signal: AbortSignal | undefined): Promise<SocketAnswer> {
    const id = String(++this.#lastId);
    return new Promise<SocketAnswer>((resolve, reject) => {
      const abort = (): void => {
        if (!this.#waiting.delete(id)) return;
        this.#socket.send(`${id} abort`);
        reject(new Error('The call was given up.'));
      };
      signal?.addEventListener('abort', abort, { once: true });
      const done = (): void => signal?.removeEventListener('abort', abort);
      this.#waiting.set(id, {
        resolve: (answer) => {
          done();
          resolve(answer);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      this.#socket.send(`${id} ${call} ${body}`);
    });
  }

  close(): void {
    this.#socket.terminate();
  }

  #receive(message: string): void {
    const idEnd = message.indexOf(' ');
    const statusEnd = message.indexOf(' ', idEnd + 1);
    const id = message.slice(0, idEnd);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.resolve({ status: Number(message.slice(idEnd + 1, statusEnd)), body: message.slice(statusEnd + 1) });
  }

  #failAll(error: Error): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(error);
  }
}

/** Of a credential or a moment, and then a request would be refused as well; or of sockets. */
const refusalOf = async (response: IncomingMessage): Promise<Error> => {
  const status = response.statusCode ?? 0;
  if (status < 500 && ![401, 403, 429].includes(status)) return new NoSocket(`The socket was refused with ${status}.`);
  return new Refused({ status, body: await text(response) });
};
