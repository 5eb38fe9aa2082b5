import { join } from 'node:path';
import { freePort } from '../process/ports.js';
import { askHttp } from '../process/probes.js';
import type { ServerProcess } from '../process/server-process.js';
import { startServer, type StartOptions } from '../process/start-server.js';
import type { Secured } from '../security/secured.js';
import { startTogether } from './start-together.js';

interface Member {
  readonly name: string;
  readonly port: number;
  readonly peerPort: number;
  readonly metricsPort: number;
}

export type EtcdClusterOptions = Pick<StartOptions, 'program'> & {
  readonly members: number;
  /** Clients and members show certificates that the authority has signed. */
  readonly secured: Omit<Secured, 'password'>;
};

/** Members of one etcd that speak TLS, to each other too. Their addresses are https:// URLs. */
export async function startEtcdCluster({ program, members, secured }: EtcdClusterOptions): Promise<readonly ServerProcess[]> {
  return startTogether({
    members: async () => {
      const all: Member[] = [];
      for (let index = 0; index < members; index += 1) all.push({ name: `etcd-${index}`, port: await freePort(), peerPort: await freePort(), metricsPort: await freePort() });
      return all;
    },
    start: (member, all) => startMember(member, { program, cluster: all.map(({ name, peerPort }) => `${name}=https://127.0.0.1:${peerPort}`).join(','), secured }),
  });
}

const startMember = ({ name, port, peerPort, metricsPort }: Member, { program, cluster, secured: { certificate, authority } }: Omit<EtcdClusterOptions, 'members'> & { readonly cluster: string }): Promise<ServerProcess> =>
  startServer({ program, name, port }, async ({ folder }) => {
    const [client, peer, metrics] = [`https://127.0.0.1:${port}`, `https://127.0.0.1:${peerPort}`, `http://127.0.0.1:${metricsPort}`];
    return {
      command: program.path,
      args: [
        ...['--name', name, '--data-dir', join(folder, 'data'), '--log-level', 'warn'],
        ...['--listen-client-urls', client, '--advertise-client-urls', client, '--listen-metrics-urls', metrics],
        ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', cluster],
        ...['--cert-file', certificate.cert, '--key-file', certificate.key, '--trusted-ca-file', authority, '--client-cert-auth'],
        ...['--peer-cert-file', certificate.cert, '--peer-key-file', certificate.key, '--peer-trusted-ca-file', authority, '--peer-client-cert-auth'],
      ],
      address: client,
      ports: [port, peerPort, metricsPort],
      // Asked where no certificate is wanted. It says so once there is a leader.
      answers: () => askHttp(`${metrics}/health`, (body) => /"health":\s*"true"/.test(body)),
    };
  });
