import type { FastifyInstance } from 'fastify';

interface Route {
  readonly method: string;
  readonly url: string;
  readonly pattern: RegExp;
}

const toPattern = (url: string): RegExp => new RegExp(`^${url.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll(/:[^/]+/g, '[^/]+')}/?$`);

/** Which routes the application has: to tell a wrong method from a wrong path, and to check the OpenAPI document. */
export class RouteTable {
  readonly #routes: Route[] = [];

  /** Must be called before the routes are added. */
  watch(instance: FastifyInstance): void {
    instance.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) {
        if (each !== 'HEAD' && each !== 'OPTIONS' && url !== '*') this.#routes.push({ method: each, url, pattern: toPattern(url) });
      }
    });
  }

  methodsOf(path: string): string[] {
    return [...new Set(this.#routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
  }

  /** `GET /v1/workflows/:workflowId`, … sorted. */
  list(): string[] {
    return [...new Set(this.#routes.map(({ method, url }) => `${method} ${url}`))].sort();
  }
}
