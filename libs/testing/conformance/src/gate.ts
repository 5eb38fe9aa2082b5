import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A way to a server that can be shut: connections are cut, and new ones refused, until it is opened again at the same address. Or nothing comes through, and nobody is told. */
export class Gate {
  readonly #to: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #isSilent = false;

  private constructor(to: string) {
    const [host = '', port = ''] = to.split(':');
    this.#to = { host, port: Number(port) };
  }

  static async open(to: string): Promise<Gate> {
    const gate = new Gate(to);
    await gate.reopen();
    return gate;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async reopen(): Promise<void> {
    // Connections that were silent have lost bytes, and are of no use.
    if (this.#isSilent) await this.shut();
    this.#isSilent = false;
    const server = createServer((inner) => this.#join(inner, connect(this.#to)));
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  async shut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Connections stay and are taken; what is sent is lost. */
  silence(): void {
    this.#isSilent = true;
    for (const socket of this.#sockets) socket.unpipe().resume();
  }

  #join(...[one, other]: [Socket, Socket]): void {
    for (const [socket, peer] of [[one, other], [other, one]] as const) {
      this.#sockets.add(socket);
      if (this.#isSilent) socket.resume();
      else socket.pipe(peer);
      // A cut connection is what a gate is for; its other end is told by being cut too.
      socket.on('error', () => peer.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        peer.destroy();
      });
    }
  }
}
