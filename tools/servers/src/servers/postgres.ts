import { existsSync, realpathSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { askTcp } from '../process/probes.js';
import type { ServerProcess } from '../process/server-process.js';
import { startServer, type StartOptions } from '../process/start-server.js';
import { executables, versionsIn, withVersionFlag } from '../programs/candidates.js';
import { npmPostgres, NPM_POSTGRES_VERSION } from '../programs/npm-postgres.js';
import type { ProgramRecipe } from '../programs/program.js';
import { run } from '../run.js';
import type { Secured } from '../security/secured.js';
import { type OsUser, postgresUser, reachableProgram, requireReachable } from './postgres-user.js';

const DEBIAN = '/usr/lib/postgresql';
const USER = 'perdure';
const DATABASE = 'postgres';
const CONNECTIONS_MAX = 300;
/** In the data folder: PostgreSQL takes a key that is its user's alone. */
const [CERTIFICATE, KEY] = ['server.crt', 'server.key'];

/** Its path is the folder of its executables: a data folder is made with `initdb` of the same version. */
export const postgresProgram: ProgramRecipe = {
  name: 'postgres',
  versionMin: [14],
  candidates(config) {
    const found = executables('postgres', config, versionsIn(DEBIAN).map((folder) => join(folder, 'bin')));
    return found.map((path) => ({ ...withVersionFlag(path), path: dirname(realpathSync(path)) })).filter(({ path }) => existsSync(join(path, 'initdb')));
  },
  fetched: { version: NPM_POSTGRES_VERSION, fetch: npmPostgres },
};

/** Its address is a postgres:// URL. Durable as it comes (fsync on); isolation is as it comes too, the client's business. `secured`: by TLS alone, which its URL asks for. */
export function startPostgres(options: StartOptions & { readonly secured?: Secured }): Promise<ServerProcess> {
  return startServer(options, async (ground) => {
    const { folder, port } = ground;
    const user = postgresUser();
    await requireReachable(folder, user);
    const bin = await reachableProgram(options.program, user);
    const { secured } = options;
    const data = await dataFolder({ bin, folder, user, secured });
    const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', max_connections: CONNECTIONS_MAX, ...(secured ? { ssl: 'on', ssl_cert_file: CERTIFICATE, ssl_key_file: KEY } : {}) };
    return {
      ...(user && { uid: user.uid, gid: user.gid }),
      command: join(bin, 'postgres'),
      args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      address: secured ? `postgres://${USER}:${secured.password}@127.0.0.1:${port}/${DATABASE}?sslmode=verify-full&sslrootcert=${secured.authority}` : `postgres://${USER}@127.0.0.1:${port}/${DATABASE}`,
      ports: [port],
      stopSignal: 'SIGINT', // on SIGTERM it waits for its clients to leave
      answers: () => askTcp({ port, send: startupMessage(), isAnswer: secured ? isRefusedOrReady : isReadyForQuery }),
    };
  });
}

interface DataFolder {
  readonly bin: string;
  readonly folder: string;
  readonly user: OsUser | undefined;
  readonly secured: Secured | undefined;
}

async function dataFolder({ bin, folder, user, secured }: DataFolder): Promise<string> {
  const data = join(folder, 'data');
  if (existsSync(join(data, 'PG_VERSION'))) return data;
  await mkdir(data, { recursive: true });
  await chmod(data, 0o700);
  const asUser = user && { uid: user.uid, gid: user.gid };
  if (user) await chown(data, user.uid, user.gid);
  const write = async (path: string, text: string): Promise<void> => {
    await writeFile(path, text, { mode: 0o600 });
    if (user) await chown(path, user.uid, user.gid);
  };
  const password = join(folder, 'password');
  if (secured) await write(password, secured.password);
  await run(join(bin, 'initdb'), ['-D', data, '-U', USER, ...(secured ? ['--auth=scram-sha-256', `--pwfile=${password}`] : ['--auth=trust']), '--encoding=UTF8', '--locale=C', '--no-sync'], { cwd: folder, ...asUser });
  if (!secured) return data;
  await write(join(data, CERTIFICATE), await readFile(secured.certificate.cert, 'utf8'));
  await write(join(data, KEY), await readFile(secured.certificate.key, 'utf8'));
  await write(join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n');
  return data;
}

/** The first message of PostgreSQL's protocol, version 3. */
function startupMessage(): Uint8Array {
  const body = Buffer.from(`user\0${USER}\0database\0${DATABASE}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(head.length + body.length, 0);
  head.writeInt32BE(3 << 16, 4);
  return Buffer.concat([head, body]);
}

/** Each message is a letter, a length and a body: E is a refusal (it still recovers), Z means that a query may follow. */
function isReadyForQuery(received: Buffer): boolean {
  for (let at = 0; at + 5 <= received.length; at += 1 + received.readInt32BE(at + 1)) {
    const kind = String.fromCharCode(received[at]!);
    if (kind === 'E') throw new Error(received.subarray(at + 5).toString().replaceAll('\0', ' ').trim());
    if (kind === 'Z') return true;
  }
  return false;
}

/** A server that takes nobody without TLS says so, once it has recovered. */
const NOT_LET_IN = 'C28000\0';
const isRefusedOrReady = (received: Buffer): boolean => received.includes(NOT_LET_IN) || isReadyForQuery(received);
