// What a call of the sidecar costs this process, by client: the JavaScript SDK over gRPC and over HTTP, and undici as DaprSidecar uses it.
//
//   npm run build && node libs/adapters/dapr/bench/clients.mjs [--calls 3000] [--concurrency 8] [--daprd PATH]
//
// daprd: any from 1.14, by default the one on the PATH. It keeps all in memory, so no server is needed. The app that is called runs in a
// process of its own: its work is not counted. Clients take turns, three rounds, best round of each.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CommunicationProtocolEnum, DaprClient, HttpMethod } from '@dapr/dapr';
import { SystemClock } from '@perdure/clock';
import { DaprSidecar } from '@perdure/dapr';

const SELF = fileURLToPath(import.meta.url);
const ROUNDS = 3;
const BULK = 100;

if (process.argv[2] === 'app') {
  createServer((request, response) => void request.resume().on('end', () => response.writeHead(request.method === 'GET' ? 404 : 200, { 'content-type': 'application/json' }).end('{}')))
    .listen(0, '127.0.0.1', function () { process.send(this.address().port); });
} else await main();

async function main() {
  const { values } = parseArgs({ options: { calls: { type: 'string', default: '3000' }, concurrency: { type: 'string', default: '8' }, daprd: { type: 'string', default: 'daprd' } } });
  const [calls, concurrency] = [Number(values.calls), Number(values.concurrency)];
  const app = fork(SELF, ['app']);
  const [appPort] = await once(app, 'message');
  const [http, grpc, internal, metrics] = await freePorts(4);
  const resources = mkdtempSync(join(tmpdir(), 'perdure-bench-'));
  writeFileSync(join(resources, 'pubsub.yaml'), JSON.stringify({ apiVersion: 'dapr.io/v1alpha1', kind: 'Component', metadata: { name: 'pubsub' }, spec: { type: 'pubsub.in-memory', version: 'v1', metadata: [] } }));
  const daprd = spawn(values.daprd, ['--app-id', 'bench', '--app-port', `${appPort}`, '--dapr-http-port', `${http}`, '--dapr-grpc-port', `${grpc}`, '--dapr-internal-grpc-port', `${internal}`, '--metrics-port', `${metrics}`, '--enable-metrics=false',
    '--dapr-listen-addresses', '127.0.0.1', '--resources-path', resources, '--placement-host-address', '', '--scheduler-host-address', '', '--log-level', 'error'], { stdio: 'inherit', env: { ...process.env, DAPR_HOST_IP: '127.0.0.1' } });
  try {
    await ready(http);
    const clients = await openClients({ http, grpc });
    console.log(`Node ${process.version}, ${calls} calls of 1 KB, ${concurrency} at a time, CPU of the calling process.\n`);
    console.log('| call | client | CPU µs | calls/s |\n|---|---|---|---|');
    for (const what of ['invoke', 'publish', 'publishBulk']) {
      const best = new Map();
      for (let round = 0; round < ROUNDS; round++) {
        for (const [name, client] of Object.entries(clients)) {
          const count = what === 'publishBulk' ? Math.ceil(calls / 20) : calls;
          await measure(client[what], { count: Math.ceil(count / 10), concurrency });
          const seen = await measure(client[what], { count, concurrency });
          if (!best.has(name) || seen.cpuUs < best.get(name).cpuUs) best.set(name, seen);
        }
      }
      const per = what === 'publishBulk' ? BULK : 1;
      for (const [name, { cpuUs, perSecond }] of best) if (perSecond > 0) console.log(`| ${what === 'publishBulk' ? 'publish in bulks of 100, by event' : what} | ${name} | ${(cpuUs / per).toFixed(1)} | ${Math.round(perSecond * per)} |`);
    }
    for (const { close } of Object.values(clients)) await close();
  } finally {
    daprd.kill('SIGKILL');
    app.kill();
  }
  process.exit(0);
}

async function openClients({ http, grpc }) {
  const event = { text: 'x'.repeat(1_000) };
  const bulk = Array.from({ length: BULK }, () => ({ event }));
  const logger = { log() {}, error: console.error, warn: console.error, info() {}, verbose() {}, debug() {} };
  const sdk = (communicationProtocol, daprPort) => {
    const client = new DaprClient({ daprHost: '127.0.0.1', daprPort: `${daprPort}`, communicationProtocol, logger: { service: logger, level: 0 } });
    const http = communicationProtocol === CommunicationProtocolEnum.HTTP;
    return {
      invoke: () => client.invoker.invoke('bench', 'x', HttpMethod.POST, event),
      publish: () => client.pubsub.publish('pubsub', 'topic', event),
      publishBulk: () => client.pubsub.publishBulk('pubsub', 'topic', bulk.map((each) => each.event)),
      close: () => client.stop(),
      // Calling apps over gRPC needs an app that speaks it.
      ...(http ? {} : { invoke: undefined }),
    };
  };
  const sidecar = new DaprSidecar({ host: '127.0.0.1', httpPort: http, clock: new SystemClock() });
  const to = { pubsub: 'pubsub', topic: 'topic' };
  return {
    '@dapr/dapr, gRPC': sdk(CommunicationProtocolEnum.GRPC, grpc),
    '@dapr/dapr, HTTP': sdk(CommunicationProtocolEnum.HTTP, http),
    'DaprSidecar (undici)': { invoke: () => sidecar.invoke({ appId: 'bench', method: 'x' }, event), publish: () => sidecar.publish(to, { event }), publishBulk: () => sidecar.publishBulk(to, bulk), close: () => sidecar.close() },
  };
}

async function measure(call, { count, concurrency }) {
  if (!call) return { cpuUs: 0, perSecond: 0 };
  let left = count;
  const before = process.cpuUsage();
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrency }, async () => { while (left-- > 0) await call(); }));
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(before);
  return { cpuUs: (user + system) / count, perSecond: count / seconds };
}

async function ready(port) {
  for (let tries = 0; tries < 300; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1.0/healthz`).catch(() => undefined);
    if (answer?.status === 204) return;
    await after(100);
  }
  throw new Error('daprd did not get ready');
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createTcp().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
