import { Connection, type Broker } from '@platformatic/kafka';
import { forConnection, type KafkaSecurity } from './kafka-security.js';

export interface BrokerLinkOptions {
  readonly broker: Broker;
  readonly clientId: string;
  readonly security: KafkaSecurity;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** A connection to one broker, made when it is needed and anew when it was lost. */
export class BrokerLink {
  readonly #options: BrokerLinkOptions;
  #connection: Promise<Connection> | undefined;
  #isClosed = false;

  constructor(options: BrokerLinkOptions) {
    this.#options = options;
  }

  get broker(): Broker {
    return this.#options.broker;
  }

  async use<T>(call: (connection: Connection) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new Error('The link is closed.');
    this.#connection ??= this.#connect();
    return call(await this.#connection);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close();
  }

  async #connect(): Promise<Connection> {
    const { broker, clientId, security, connectTimeoutMs, requestTimeoutMs } = this.#options;
    const connection = new Connection(clientId, { connectTimeout: connectTimeoutMs, requestTimeout: requestTimeoutMs, maxInflights: 100, ...forConnection(security, broker.host) });
    const forget = (): void => {
      this.#connection = undefined;
    };
    // Whoever waits for an answer hears of it by the answer.
    connection.on('error', forget);
    connection.on('close', forget);
    try {
      await connection.connect(broker.host, broker.port);
    } catch (thrown) {
      forget();
      throw thrown;
    }
    return connection;
  }
}
