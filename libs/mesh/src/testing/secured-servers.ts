import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, etcdProgram, KAFKA_ADMIN, kafkaProgram, obtain, postgresProgram, SilentProgress, startEtcdCluster, startKafkaCluster, startPostgres, type Certified, type ProgramRecipe, type ServerProcess } from '@perdure/servers';
import { Kafka, logLevel } from 'kafkajs';

const programOf = (recipe: ProgramRecipe): ReturnType<typeof obtain> => obtain(recipe, { progress: new SilentProgress() });

interface Parts {
  readonly folder: string;
  readonly authority: CertificateAuthority;
  readonly stranger: CertificateAuthority;
  readonly client: Certified;
  readonly password: string;
  readonly brokers: readonly ServerProcess[];
  readonly members: readonly ServerProcess[];
  readonly postgres: ServerProcess;
}

/** Servers as a company would run them: three brokers and three members of etcd, TLS to each, and a password or a certificate to be let in. They are 127.0.0.1, and not `localhost`. */
export class SecuredServers {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  static async start(): Promise<SecuredServers> {
    const folder = await mkdtemp(join(tmpdir(), 'perdure-secured-'));
    // PostgreSQL's user reads from there.
    await chmod(folder, 0o711);
    const authority = await CertificateAuthority.create({ folder });
    const stranger = await CertificateAuthority.create({ folder, name: 'stranger' });
    const password = randomUUID();
    const secured = { certificate: await authority.issue('server', ['127.0.0.1']), authority: authority.certificate, password };
    const client = await authority.issue('client');
    const starting = await Promise.allSettled([
      startKafkaCluster({ program: await programOf(kafkaProgram), brokers: 3, secured }),
      startEtcdCluster({ program: await programOf(etcdProgram), members: 3, secured }),
      startPostgres({ program: await programOf(postgresProgram), secured }),
    ]);
    const failed = starting.find((each) => each.status === 'rejected');
    if (failed) {
      await Promise.all(starting.flatMap((each) => (each.status === 'fulfilled' ? [each.value].flat() : [])).map((server) => server.stop()));
      throw failed.reason;
    }
    const [brokers, members, postgres] = starting.map((each) => (each as PromiseFulfilledResult<unknown>).value) as [readonly ServerProcess[], readonly ServerProcess[], ServerProcess];
    return new SecuredServers({ folder, authority, stranger, client, password, brokers, members, postgres });
  }

  get brokers(): readonly ServerProcess[] {
    return this.#parts.brokers;
  }

  get members(): readonly ServerProcess[] {
    return this.#parts.members;
  }

  /** Of an authority that has signed nothing here. */
  get strangersCertificate(): string {
    return this.#parts.stranger.certificate;
  }

  /** What a node finds in its environment. */
  get environment(): Readonly<Record<string, string>> {
    const { authority, client, password, brokers, members, postgres } = this.#parts;
    return {
      PERDURE_PORT: '8080', APP_API_TOKEN: randomUUID(),
      PERDURE_POSTGRES: postgres.address,
      PERDURE_KAFKA: brokers.map(({ address }) => address).join(','),
      PERDURE_KAFKA_TLS: 'on', PERDURE_KAFKA_CA: authority.certificate, PERDURE_KAFKA_SASL: 'SCRAM-SHA-512', PERDURE_KAFKA_USER: KAFKA_ADMIN, PERDURE_KAFKA_PASSWORD: password,
      PERDURE_ETCD: members.map(({ address }) => address).join(','),
      PERDURE_ETCD_CA: authority.certificate, PERDURE_ETCD_CERT: client.cert, PERDURE_ETCD_KEY: client.key,
    };
  }

  /** Kafka past the adapter. */
  async kafka(): Promise<Kafka> {
    const { authority, password, brokers } = this.#parts;
    return new Kafka({ brokers: brokers.map(({ address }) => address), ssl: { ca: await readFile(authority.certificate, 'utf8') }, sasl: { mechanism: 'scram-sha-512', username: KAFKA_ADMIN, password }, logLevel: logLevel.NOTHING });
  }

  /** etcd past the adapter: what any member answers that is up. `token`: of a user of etcd. */
  async etcd(path: string, body: object, token?: string): Promise<Record<string, unknown>> {
    const { authority, client, members } = this.#parts;
    const [ca, cert, key] = await Promise.all([authority.certificate, client.cert, client.key].map((file) => readFile(file, 'utf8')));
    const member = members.find(({ pid }) => pid !== undefined)!;
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const sent = request(`${member.address}${path}`, { method: 'POST', ca, cert, key, agent: false, headers: token === undefined ? {} : { authorization: token } }, (answer) => {
        answer.toArray().then((chunks) => resolve({ status: answer.statusCode!, text: Buffer.concat(chunks as Buffer[]).toString() }), reject);
      });
      sent.on('error', reject);
      sent.end(JSON.stringify(body));
    });
    if (status !== 200) throw new Error(`etcd answered ${path} with ${status}: ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }

  async stop(): Promise<void> {
    const { folder, brokers, members, postgres } = this.#parts;
    await Promise.all([...brokers, ...members, postgres].map((server) => server.stop()));
    await rm(folder, { recursive: true });
  }
}
