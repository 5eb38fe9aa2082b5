import 'reflect-metadata';
import type { IncomingMessage } from 'node:http';
import type { DynamicModule, LoggerService, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { PerdureError } from '@perdure/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticator } from './authenticator.js';
import { endWaitsOnClose } from './abort-wait.js';
import { addBodyParsers } from './body-parsers.js';
import { byPrefix } from './by-prefix.js';
import { answerClientError } from './client-error.js';
import { fromThrown, PROBLEM_JSON, toProblem } from './problem.js';
import { ProblemFilter } from './problem-filter.js';
import { RouteTable } from './route-table.js';
import { canChooseUpgrades, Sockets, type SocketCall } from './sockets.js';

export interface HttpAppOptions {
  readonly authenticator: Authenticator;
  /** Request bodies may be so long, bytes. */
  readonly bodyBytesMax: number;
  /** Routes with their own body limit, by prefix, bytes. */
  readonly bodyBytesMaxByPrefix?: Readonly<Record<string, number>>;
  /** Routes whose JSON may nest deeper than `LIMITS.jsonDepthMax`, and by how much, by prefix. */
  readonly jsonDepthMoreByPrefix?: Readonly<Record<string, number>>;
  /** Without a request: a message over a socket met it. */
  readonly onInternal?: (error: PerdureError, request?: FastifyRequest) => void;
  readonly onSocketCall?: (call: SocketCall) => void;
  readonly logger?: LoggerService | false;
  /** Adds hooks that come before all others, so that it sees every request. */
  readonly observe?: (instance: FastifyInstance) => void;
}

export interface HttpApp {
  readonly nest: NestFastifyApplication;
  readonly routes: RouteTable;
}

/** These answer without a credential: probes, the document, and webhooks, whose credential is their signature. */
const OPEN = ['/healthz', '/readyz', '/metrics', '/openapi.json', '/v1/webhooks/'];

const isOpen = (path: string): boolean => OPEN.some((prefix) => path.startsWith(prefix));

/** What is asked for, as the router reads it: `/%69nternal` is `/internal`. What has no route is as it was sent. */
const routeOf = (request: FastifyRequest): string => request.routeOptions.url ?? request.url;

/** One way to open an HTTP door: Nest on Fastify, errors as problem+json, the tenant from the credential. Call `nest.listen` to serve. */
export const createHttpApp = async (module: Type | DynamicModule, options: HttpAppOptions): Promise<HttpApp> => {
  const { bodyBytesMaxByPrefix = {}, onInternal = () => undefined, onSocketCall } = options;
  const onCall = (call: SocketCall): void => {
    if (call.error?.code === 'internal') onInternal(call.error);
    onSocketCall?.(call);
  };
  let sockets: Sockets | undefined;
  const adapter = new FastifyAdapter({
    bodyLimit: options.bodyBytesMax,
    routerOptions: { maxParamLength: 2048, ignoreTrailingSlash: true },
    // Keep-alive outlasts a worker's or client's idle connection, so that the client is the one to close.
    keepAliveTimeout: 75_000,
    // Node's default of 5 minutes would cut long polls short only in error; a request must arrive whole in 30 s.
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
    http: { shouldUpgradeCallback: (request: IncomingMessage) => sockets?.shouldUpgrade(request) ?? false },
    clientErrorHandler: answerClientError,
    skipMiddie: true,
    // A path that does not decode never reaches Nest's filter.
    frameworkErrors: (error: Error, _request: FastifyRequest, reply: FastifyReply) => {
      const problem = toProblem(fromThrown(error));
      void reply.status(problem.status).header('content-type', PROBLEM_JSON).send(JSON.stringify(problem));
    },
  });
  const instance = adapter.getInstance() as unknown as FastifyInstance;
  endWaitsOnClose(instance);
  if (canChooseUpgrades()) sockets = new Sockets(instance, { authenticator: options.authenticator, bytesMaxOf: (path) => byPrefix(bodyBytesMaxByPrefix, path) ?? options.bodyBytesMax, onCall });
  const routes = new RouteTable();
  routes.watch(instance);
  options.observe?.(instance);
  applyBodyLimits(instance, bodyBytesMaxByPrefix);
  addBodyParsers(instance, options.jsonDepthMoreByPrefix ?? {});
  instance.decorateRequest('principal', undefined);
  instance.decorateRequest('refusal', undefined);
  instance.addHook('onRequest', (request, _reply, done) => {
    try {
      const route = routeOf(request);
      if (!isOpen(route)) request.principal = options.authenticator.authenticate(request.headers, route);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  const nest = await NestFactory.create<NestFastifyApplication>(module, adapter, { bodyParser: false, logger: options.logger ?? false, abortOnError: false });
  nest.useGlobalFilters(new ProblemFilter(routes, onInternal));
  await nest.init();
  await instance.ready();
  return { nest, routes };
};

const applyBodyLimits = (instance: FastifyInstance, limits: Readonly<Record<string, number>>): void => {
  instance.addHook('onRoute', (route) => {
    const limit = byPrefix(limits, route.url);
    if (limit !== undefined) route.bodyLimit = limit;
  });
};
