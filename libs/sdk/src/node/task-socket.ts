import type { ClientRequest, IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { HttpAnswer } from '../client/transport.js';
import { PollLost } from './worker-transport.js';

export type TaskCall = 'poll' | 'answers' | 'heartbeats';

/** No socket was opened, or it was lost before anything came over it. The server may be gone, or something on the way lets none through: a request tells. */
export class NoSocket extends Error {}

interface Waiting {
  readonly message: string;
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** Less than a poll may take, so that there is time left for a request. */
const CONNECT_TIMEOUT_MS = 3_000;
/** The server asks a connection every 15 s whether it is there; one that was not asked for so long is cut. */
const SILENT_MS = 40_000;

/** The workers' API over one WebSocket, opened when it is needed, and again after it was lost. A message costs a fraction of a request. */
export class TaskSocket {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  #connection: Connection | undefined;
  #isClosed = false;

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    const base = new URL(url);
    this.#url = `${base.origin.replace(/^http/, 'ws')}${base.pathname.replace(/\/$/, '')}/v1/tasks/socket`;
    this.#headers = headers;
  }

  /**
   * What a request would be answered.
   *
   * @param body JSON text
   * @param signal gives the call up; with `PollLost` the connection as well
   * @throws NoSocket; Error when the connection was lost before the answer
   */
  async ask(call: TaskCall, body: string, signal?: AbortSignal): Promise<HttpAnswer> {
    signal?.throwIfAborted();
    // An attempt that was left running may still beat: its connection would keep the process.
    if (this.#isClosed) throw new Error('The worker has ended.');
    return (this.#connection ??= this.#connect()).ask(call, body, signal);
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.close();
  }

  #connect(): Connection {
    const connection = new Connection(this.#url, this.#headers, () => {
      if (this.#connection === connection) this.#connection = undefined;
    });
    return connection;
  }
}

class Connection {
  readonly #socket: WebSocket;
  readonly #onClosed: () => void;
  readonly #waiting = new Map<string, Waiting>();
  #lastId = 0;
  #isHeard = false;
  #why = 'The connection was closed';

  /** `onClosed`: it is of no use any more. */
  constructor(url: string, headers: Readonly<Record<string, string>>, onClosed: () => void) {
    this.#onClosed = onClosed;
    const socket = (this.#socket = new WebSocket(url, { headers, perMessageDeflate: false, handshakeTimeout: CONNECT_TIMEOUT_MS, maxPayload: 0 }));
    const silent = setTimeout(() => socket.terminate(), SILENT_MS);
    const heard = (): void => {
      this.#isHeard = true;
      silent.refresh();
    };
    socket.once('open', () => this.#sendWaiting());
    socket.on('ping', heard);
    socket.on('message', (data: Buffer) => {
      heard();
      this.#receive(data.toString());
    });
    socket.once('unexpected-response', (request: ClientRequest, { statusCode }: IncomingMessage) => {
      this.#why = `The socket was refused with ${statusCode}`;
      request.destroy();
      socket.terminate();
    });
    socket.on('error', ({ message }) => (this.#why = message));
    socket.once('close', (code: number) => {
      clearTimeout(silent);
      onClosed();
      this.#failAll(`${this.#why} (${code}).`);
    });
  }

  ask(call: TaskCall, body: string, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    const id = String(++this.#lastId);
    return new Promise<HttpAnswer>((resolve, reject) => {
      const abort = (): void => this.#giveUp(id, signal!.reason);
      signal?.addEventListener('abort', abort, { once: true });
      const done = (): void => signal?.removeEventListener('abort', abort);
      const message = `${id} ${call} ${body}`;
      this.#waiting.set(id, {
        message,
        resolve: (answer) => {
          done();
          resolve(answer);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      // Else it goes when the socket is open.
      if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(message);
    });
  }

  close(): void {
    this.#onClosed();
    this.#socket.terminate();
  }

  #giveUp(id: string, reason: unknown): void {
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    call?.reject(new Error('The call was given up.'));
    if (reason instanceof PollLost && this.#socket.readyState !== WebSocket.CONNECTING) this.close();
    else if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(`${id} abort`);
  }

  #sendWaiting(): void {
    for (const { message } of this.#waiting.values()) this.#socket.send(message);
  }

  #receive(message: string): void {
    const idEnd = message.indexOf(' ');
    const statusEnd = message.indexOf(' ', idEnd + 1);
    const id = message.slice(0, idEnd);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.resolve({ status: Number(message.slice(idEnd + 1, statusEnd)), body: message.slice(statusEnd + 1) });
  }

  #failAll(why: string): void {
    const error = this.#isHeard ? new Error(why) : new NoSocket(why);
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(error);
  }
}
