import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands between a pool and its server, and loses what either says, or the connection. */
export class CutProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [client: Socket, upstream: Socket]>();
  #drop: 'nothing' | 'requests' | 'answers' = 'nothing';
  #dropped = 0;

  private constructor(url: URL) {
    this.#server = createServer((client) => {
      const upstream = connect(Number(url.port || 5432), url.hostname);
      const pair = [client, upstream] as const;
      this.#pairs.add(pair);
      const carry = (from: Socket, to: Socket, what: 'requests' | 'answers'): void => {
        from.on('data', (data: Buffer) => {
          if (this.#drop === what) this.#dropped += data.length;
          else to.write(data);
        });
        from.on('error', () => undefined);
        from.on('close', () => {
          to.destroy();
          this.#pairs.delete(pair);
        });
      };
      carry(client, upstream, 'requests');
      carry(upstream, client, 'answers');
    });
  }

  /** `url`: of the server. */
  static async before(url: string): Promise<{ readonly proxy: CutProxy; readonly url: string }> {
    const to = new URL(url);
    const proxy = new CutProxy(to);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String((proxy.#server.address() as AddressInfo).port);
    return { proxy, url: through.href };
  }

  /** From now on. */
  drop(what: 'nothing' | 'requests' | 'answers'): void {
    this.#drop = what;
  }

  /** Bytes that were lost. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Breaks all connections. */
  cut(): void {
    for (const [client, upstream] of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
