import { setMaxListeners } from 'node:events';
import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HttpAdapterHost } from '@nestjs/core';
import { PerdureError } from '@perdure/contract';
import type { FastifyInstance } from 'fastify';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Authenticator, Principal } from './authenticator.js';
import { fromThrown, PROBLEM_JSON, toProblem } from './problem.js';

/** A path whose requests may become WebSockets. */
export interface SocketRoute {
  readonly path: string;
  /** The credential was good. */
  open(socket: WebSocket, by: OpenedBy): void;
}

export interface OpenedBy {
  readonly principal: Principal;
  /** Aborts when the server closes: what is owed is sent then, and the socket closed. */
  readonly closing: AbortSignal;
  /** Is told of each message that was answered. */
  readonly onCall: (call: SocketCall) => void;
}

/** A message that was answered, as a request is. */
export interface SocketCall {
  readonly path: string;
  readonly tenant: string;
  readonly call: string;
  readonly status: number;
  /** Why it was refused. */
  readonly error?: PerdureError;
}

export interface SocketsOptions {
  readonly authenticator: Authenticator;
  /** How long a message on the path may be, bytes. */
  readonly bytesMaxOf: (path: string) => number;
  readonly onCall: (call: SocketCall) => void;
}

/** A connection is asked so often whether it is still there, and has until the next time to answer. */
const PING_MS = 15_000;
/** A socket whose other side does not agree to be closed is cut after that. */
const CLOSE_MS = 1_000;

/** As much of what it was sent may be on its way to a client that goes on talking. */
const UNREAD_BYTES_MAX = 1024 * 1024;

const socketsOf = new WeakMap<Server, Sockets>();

/** For a module's `onModuleInit`. Where the server cannot open sockets, the path is one that no route takes. */
export const addSocket = ({ httpAdapter }: HttpAdapterHost, route: SocketRoute): void => socketsOf.get(httpAdapter.getHttpServer() as Server)?.add(route);

/**
 * Since 22.21 and 24.9 Node asks which requests are to be taken from the router because they offer to `Upgrade`. An older one takes all of them or none, and
 * there are clients that offer HTTP/2 with each request (Java's does): their requests would be lost, so there is no socket there.
 */
export const canChooseUpgrades = (version = process.versions.node): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 9) || (major === 22 && minor >= 21);
};

/** The WebSockets of one server: opened for a good credential, closed before the server closes. */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #routes = new Map<string, { readonly route: SocketRoute; readonly server: WebSocketServer }>();
  readonly #closing = new AbortController();

  constructor(instance: FastifyInstance, options: SocketsOptions) {
    this.#options = options;
    // One of each open socket.
    setMaxListeners(0, this.#closing.signal);
    socketsOf.set(instance.server, this);
    instance.server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => this.#upgrade(request, stream, head));
    instance.addHook('preClose', () => this.#close());
  }

  add(route: SocketRoute): void {
    // The types do not know `closeTimeout` yet.
    const options = { noServer: true, maxPayload: this.#options.bytesMaxOf(route.path), perMessageDeflate: false, closeTimeout: CLOSE_MS };
    const server = new WebSocketServer(options);
    server.on('wsClientError', ({ message }: Error, stream) => refuse(stream, new PerdureError('invalid-request', `This opens no WebSocket: ${message}`)));
    this.#routes.set(route.path, { route, server });
  }

  /** All other requests stay requests, whatever else they offer. */
  shouldUpgrade({ url = '', headers }: IncomingMessage): boolean {
    return headers.upgrade?.toLowerCase() === 'websocket' && this.#routes.has(pathOf(url));
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    stream.on('error', () => stream.destroy());
    const { route, server } = this.#routes.get(pathOf(request.url!))!;
    let principal: Principal;
    try {
      principal = this.#options.authenticator.authenticate(request.headers, request.url!);
    } catch (thrown) {
      return refuse(stream, thrown);
    }
    server.handleUpgrade(request, stream, head, (socket) => {
      // It closes by itself, and says why; without a listener the process would end.
      socket.on('error', () => undefined);
      pingOn(socket);
      pauseWhileUnread(socket, stream);
      route.open(socket, { principal, closing: this.#closing.signal, onCall: this.#options.onCall });
    });
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    const servers = [...this.#routes.values()].map(({ server }) => server);
    const open = servers.flatMap(({ clients }) => [...clients]);
    await Promise.all(open.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    for (const server of servers) server.close();
  }
}

const pathOf = (url: string): string => url.split('?', 1)[0]!;

const refuse = (stream: Duplex, thrown: unknown): void => {
  const problem = toProblem(fromThrown(thrown));
  const body = JSON.stringify(problem);
  stream.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\ncontent-type: ${PROBLEM_JSON}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
};

/** A connection that was cut without a word would stay open for ever. */
const pingOn = (socket: WebSocket): void => {
  let isAlive = true;
  const heard = (): void => void (isAlive = true);
  socket.on('pong', heard);
  socket.on('message', heard);
  const timer = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, PING_MS);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
};

/** Who does not read what it is sent is not heard either, or its answers would fill the memory. If that lasts it is cut, for its pongs are not heard. */
const pauseWhileUnread = (socket: WebSocket, stream: Duplex): void => {
  const look = (): void => {
    if (stream.writableLength > UNREAD_BYTES_MAX) socket.pause();
  };
  socket.on('message', look);
  socket.on('ping', look);
  stream.on('drain', () => socket.resume());
};
