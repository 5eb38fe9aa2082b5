import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Draws } from '../program/draws.js';

/** In how many of a hundred cases. */
export interface Cuts {
  /** The answer is dropped with its connection: the work was done, and the asker does not know. */
  readonly answers: number;
  /** The request breaks off half way. */
  readonly requests: number;
  /** The answer comes late, by up to `delayMsMax`. */
  readonly delays: number;
  readonly delayMsMax: number;
  /** Answered with 500 instead of passed on. */
  readonly refusals: number;
}

export const NO_CUTS: Cuts = { answers: 0, requests: 0, delays: 0, delayMsMax: 0, refusals: 0 };

const REFUSAL = 'HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n';

/** Stands between two processes and breaks their connections when told to. It looks at no byte: a chunk counts as a request or an answer. */
export class CuttingProxy {
  cuts: Cuts = NO_CUTS;
  /** What it has done so far. */
  readonly done = { answers: 0, requests: 0, delays: 0, refusals: 0 };
  readonly #port: number;
  readonly #draws: Draws;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** @param port of the process behind it */
  constructor(port: number, draws: Draws) {
    this.#port = port;
    this.#draws = draws;
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    const server = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', end).on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    client.on('data', (chunk: Buffer) => this.#request(chunk, { client, server, end }));
    let before = Promise.resolve();
    server.on('data', (chunk: Buffer) => {
      before = before.then(() => this.#answer(chunk, client, end));
    });
  }

  #request(chunk: Buffer, { client, server, end }: { readonly client: Socket; readonly server: Socket; readonly end: () => void }): void {
    if (this.#draws.chance(this.cuts.refusals)) {
      this.done.refusals++;
      return void client.end(REFUSAL, end);
    }
    if (!this.#draws.chance(this.cuts.requests)) return void server.write(chunk);
    this.done.requests++;
    server.write(chunk.subarray(0, Math.floor(chunk.length / 2)), end);
  }

  async #answer(chunk: Buffer, client: Socket, end: () => void): Promise<void> {
    if (this.#draws.chance(this.cuts.answers)) {
      this.done.answers++;
      return end();
    }
    if (this.#draws.chance(this.cuts.delays)) {
      this.done.delays++;
      await pause(this.#draws.int(1, this.cuts.delayMsMax));
    }
    client.write(chunk);
  }
}
