import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { PerdureError } from '@perdure/contract';
import { addSocket, check, fromThrown, parseJson, toProblem, type OpenedBy, type SocketCall, type SocketRoute } from '@perdure/http';
import { TaskDesk } from '@perdure/scheduler';
import type { WebSocket } from 'ws';
import { answersBody, heartbeatsBody, pollBody } from './schemas.js';

type Call = (tenant: string, body: unknown, signal: AbortSignal) => Promise<unknown>;

/** What a message begins with, before a call's body. */
const HEAD = /^(\d{1,15}) (poll|answers|heartbeats|abort)(?: |$)/;
const HEAD_BYTES_MAX = 30;

/** A worker has one poll and a request of answers open, and heartbeats now and then; who opens more does not wait for answers. */
const OPEN_CALLS_MAX = 64;
const UNSUPPORTED_DATA = 1_003;
const GOING_AWAY = 1_001;

/**
 * The workers' API over one WebSocket. A text message `ID CALL BODY` is what `POST /v1/tasks/{CALL}` with that body is, and `ID STATUS BODY` is its
 * answer, in whatever order they come to be; `ID abort` ends a poll early. A message costs a fraction of what a request does.
 */
@Injectable()
export class TaskSocket implements OnModuleInit, SocketRoute {
  readonly path = '/v1/tasks/socket';
  readonly #host: HttpAdapterHost;
  readonly #calls: Readonly<Record<string, Call>>;

  constructor(@Inject(TaskDesk) desk: TaskDesk, @Inject(HttpAdapterHost) host: HttpAdapterHost) {
    this.#host = host;
    this.#calls = {
      poll: (tenant, body, signal) => desk.poll(tenant, check(pollBody, body), signal),
      answers: async (tenant, body) => ({ receipts: await desk.answer(tenant, check(answersBody, body).answers) }),
      heartbeats: async (tenant, body) => ({ responses: await desk.heartbeat(tenant, check(heartbeatsBody, body).heartbeats) }),
    };
  }

  onModuleInit(): void {
    addSocket(this.#host, this);
  }

  open(socket: WebSocket, { principal: { tenant }, closing, onCall }: OpenedBy): void {
    new TaskConnection({ socket, tenant, calls: this.#calls, closing, onCall: (call) => onCall({ ...call, path: this.path, tenant }) }).serve();
  }
}

interface ConnectionOptions {
  readonly socket: WebSocket;
  readonly tenant: string;
  readonly calls: Readonly<Record<string, Call>>;
  readonly closing: AbortSignal;
  readonly onCall: (call: Pick<SocketCall, 'call' | 'status' | 'error'>) => void;
}

class TaskConnection {
  readonly #options: ConnectionOptions;
  readonly #open = new Map<string, AbortController>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  serve(): void {
    const { socket, closing } = this.#options;
    const close = (): void => {
      this.#abortAll();
      this.#closeWhenQuiet();
    };
    closing.addEventListener('abort', close, { once: true });
    socket.on('message', (data: Buffer) => this.#receive(data));
    socket.once('close', () => {
      closing.removeEventListener('abort', close);
      this.#abortAll();
    });
    if (closing.aborted) close();
  }

  #receive(data: Buffer): void {
    const { socket } = this.#options;
    const head = HEAD.exec(data.toString('latin1', 0, HEAD_BYTES_MAX));
    // Whose answer the error would be is not known.
    if (!head) return socket.close(UNSUPPORTED_DATA, 'Send "ID CALL BODY".');
    const [{ length }, id, call] = head as unknown as readonly [string, string, string];
    if (call === 'abort') this.#open.get(id)?.abort();
    else void this.#call({ id, call, body: data.subarray(length) });
  }

  async #call({ id, call, body }: { readonly id: string; readonly call: string; readonly body: Buffer }): Promise<void> {
    const { tenant, calls, closing, onCall } = this.#options;
    const controller = new AbortController();
    try {
      // A poll that began now would hold the server open.
      if (closing.aborted) throw new PerdureError('draining', 'The server is closing.');
      if (this.#open.has(id)) throw new PerdureError('invalid-request', `A call ${id} is open already.`);
      if (this.#open.size >= OPEN_CALLS_MAX) throw new PerdureError('overloaded', `${OPEN_CALLS_MAX} calls are open, which is the limit.`);
      this.#open.set(id, controller);
      this.#answer(id, 200, await calls[call]!(tenant, parseJson(body) ?? {}, controller.signal));
      onCall({ call, status: 200 });
    } catch (thrown) {
      const error = fromThrown(thrown);
      const problem = toProblem(error);
      this.#answer(id, problem.status, problem);
      onCall({ call, status: problem.status, error });
    } finally {
      if (this.#open.get(id) === controller) this.#open.delete(id);
      this.#closeWhenQuiet();
    }
  }

  #answer(id: string, status: number, body: unknown): void {
    const { socket } = this.#options;
    if (socket.readyState === socket.OPEN) socket.send(`${id} ${status} ${JSON.stringify(body)}`);
  }

  #abortAll(): void {
    for (const controller of this.#open.values()) controller.abort();
  }

  /** When the server closes: polls end at once, answers when they are durable. */
  #closeWhenQuiet(): void {
    const { socket, closing } = this.#options;
    if (closing.aborted && this.#open.size === 0) socket.close(GOING_AWAY);
  }
}
