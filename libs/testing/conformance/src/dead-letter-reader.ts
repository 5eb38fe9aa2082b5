import { writeFileSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import { DEAD_LETTER_TOPIC } from '@perdure/dapr';
import { SidecarProcess, type ComponentFolder, type MeshEnvironment } from '@perdure/dapr/testing';
import { fastify, type FastifyInstance } from 'fastify';

interface DeadLetter {
  readonly data?: unknown;
}

const LOOK_EVERY_MS = 50;
const LOOKS_MAX = 1_500;

/** Reads the dead letter topic as a person would have it read: by an app that subscribes to it. */
export class DeadLetterReader {
  readonly events: DeadLetter[] = [];
  readonly #app: FastifyInstance;
  #sidecar: SidecarProcess | undefined;

  private constructor(app: FastifyInstance) {
    this.#app = app;
  }

  static async start(folder: ComponentFolder, mesh: MeshEnvironment, components: Readonly<Record<string, string>> = {}): Promise<DeadLetterReader> {
    const appId = folder.appId('ingestion');
    const spec = { pubsubname: 'pubsub', topic: folder.topic(DEAD_LETTER_TOPIC), routes: { default: '/dead' } };
    writeFileSync(`${folder.path}/dead-letter-reader.yaml`, JSON.stringify({ apiVersion: 'dapr.io/v2alpha1', kind: 'Subscription', metadata: { name: 'dead' }, spec, scopes: [appId] }));
    const app = fastify();
    const reader = new DeadLetterReader(app);
    app.addContentTypeParser('application/cloudevents+json', { parseAs: 'string' }, (_request, body, done) => done(null, JSON.parse(body as string)));
    app.post('/dead', async (request) => {
      reader.events.push(request.body as DeadLetter);
      return {};
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const appPort = (app.server.address() as { port: number }).port;
    reader.#sidecar = await SidecarProcess.start({ daprd: mesh.daprd, appId, appPort, resources: folder.path, config: `${folder.path}/configuration-ingestion.yaml`, environment: { ...mesh.components, ...components } });
    return reader;
  }

  /** @throws Error when it does not come in time */
  async until(isEnough: (events: readonly DeadLetter[]) => boolean): Promise<void> {
    for (let looks = 0; !isEnough(this.events); looks++) {
      if (looks > LOOKS_MAX) throw new Error(`${this.events.length} dead letters came, and no more.`);
      await after(LOOK_EVERY_MS);
    }
  }

  async close(): Promise<void> {
    await this.#sidecar?.kill();
    await this.#app.close();
  }
}
