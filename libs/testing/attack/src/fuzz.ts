import { bundle } from '@perdure/bundler';
import { Client } from '@perdure/sdk/client';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { AttackedServer } from './attacked-server.js';
import { fuzzBundle } from './fuzz-bundles.js';
import { fuzzRequest, type FuzzRequest } from './fuzz-request.js';
import { readOperations, type OpenApi } from './schema-arbitrary.js';

export interface FuzzReport {
  readonly requests: number;
  readonly bundles: number;
  readonly complaints: readonly string[];
  /** How often each status was answered. */
  readonly byStatus: Readonly<Record<string, number>>;
}

const SOURCE = `
import { activities, condition, nextSignal, onQuery, onUpdate, receive, signal } from '@perdure/sdk/workflow';
const { act } = activities<{ act(x: unknown): Promise<unknown> }>();
const go = signal<unknown>('go');
export async function echo(input: unknown): Promise<unknown> { return input; }
export async function throws(input: unknown): Promise<unknown> { throw new Error(String(input)); }
export async function waits(input: unknown): Promise<unknown> {
  let stage: unknown = input;
  onQuery('stage', (x: unknown) => [stage, x]);
  onUpdate('add', async (x: unknown) => { stage = x; return act(x); });
  void receive('scan', { match: {} }).then((x) => { stage = x; });
  const first = await nextSignal(go, { timeout: '1h' });
  await condition(() => stage === 'done', '1h');
  return first;
}
`;

/** Any request may be answered so, by the document's own words. */
const ANYWHERE = new Set([404, 405, 408, 431]);
/** Nothing that is sent asks to be held for so long. */
const HANG_MS = 45_000;
const AT_ONCE = 16;
const SHARE_OF_BUNDLES = 20;

/** Requests made from the server's own OpenAPI document, right and wrong, to a real server; then bundles. */
export const attackWithFuzz = async ({ main, seed, cases }: { readonly main: string; readonly seed: number; readonly cases: number }): Promise<FuzzReport> => {
  const server = await AttackedServer.start({ main, env: { PERDURE_SHARDS: '2', PERDURE_LOG_LEVEL: 'error' } });
  const client = new Client({ url: server.url, retryFor: '1 minute' });
  try {
    const made = await bundle({ source: SOURCE, resolveDir: import.meta.dirname });
    await client.deploy({ name: 'fuzz', code: made.code, sourceMap: made.sourceMap });
    const attack = new Fuzz(server, readOperations((await (await fetch(`${server.url}/openapi.json`)).json()) as never));
    const requests = fc.sample(fuzzRequest(attack.api), { seed, numRuns: cases });
    await attack.all(requests, (request) => attack.request(request));
    const bundles = fc.sample(fuzzBundle(made.code), { seed, numRuns: Math.ceil(cases / SHARE_OF_BUNDLES) });
    await attack.all(bundles, (each, index) => attack.bundle(each, index));
    if (server.isRunning) await attack.aftermath(client, made);
    return { requests: requests.length, bundles: bundles.length, complaints: attack.complaints, byStatus: attack.byStatus };
  } finally {
    await client.close();
    await server.dispose();
  }
};

class Fuzz {
  readonly api: OpenApi;
  readonly complaints: string[] = [];
  readonly byStatus: Record<string, number> = {};
  readonly #server: AttackedServer;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: false });

  constructor(server: AttackedServer, api: OpenApi) {
    this.#server = server;
    this.api = api;
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(api.document, 'api');
  }

  complain(what: string): void {
    this.complaints.push(what);
  }

  async all<T>(items: readonly T[], attack: (item: T, index: number) => Promise<void>): Promise<void> {
    for (let first = 0; first < items.length; first += AT_ONCE) {
      await Promise.all(items.slice(first, first + AT_ONCE).map((item, index) => attack(item, first + index)));
      if (this.#server.isRunning) continue;
      return this.complain(`the server is gone after ${first + AT_ONCE} of ${items.length}: ${this.#server.output.slice(-2_000)}`);
    }
  }

  async request({ operation, path, headers, body }: FuzzRequest): Promise<void> {
    const told = `${operation.method.toUpperCase()} ${path} ${JSON.stringify(headers)} ${typeof body === 'string' ? body.slice(0, 300) : (body?.length ?? '')}`;
    const answer = await this.#send(`${this.#server.url}${path}`, { method: operation.method.toUpperCase(), headers, ...(body === undefined ? {} : { body }) }, told);
    if (!answer) return;
    const { status, text, type } = answer;
    if (!operation.answers.has(status) && !ANYWHERE.has(status)) return this.complain(`${operation.id} answered ${status}, which its description does not have: ${text.slice(0, 300)}\n  ${told}`);
    if (!/json/.test(type) || text === '') return;
    const schema = operation.answers.get(status) ?? (status >= 400 ? { $ref: '#/components/schemas/Problem' } : undefined);
    if (schema) this.#validate(schema, { text, told: `${operation.id} ${status}`, request: told });
  }

  /** Deployed, it is run: what its runtime says of itself need not be so. */
  async bundle(given: { readonly name: string; readonly code: string; readonly sourceMap?: string }, index: number): Promise<void> {
    const told = `bundle ${JSON.stringify(given).slice(0, 300)}`;
    const send = (path: string, body: object): Promise<Answer | undefined> => this.#send(`${this.#server.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }, told);
    const answer = await send('/v1/bundles', given);
    if (answer?.status !== 201 && answer?.status !== 200) return;
    const { hash, workflows } = JSON.parse(answer.text) as { hash: string; workflows: readonly string[] };
    for (const workflowType of workflows.slice(0, 3)) {
      await send('/v1/workflows', { workflowType, workflowId: `bundle-${index}-${workflowType}`, bundle: hash, input: index });
      await send(`/v1/workflows/${encodeURIComponent(`bundle-${index}-${workflowType}`)}/signals/go`, { input: 1 });
    }
  }

  /** Still healthy, and sound. */
  async aftermath(client: Client, { code, sourceMap }: { readonly code: string; readonly sourceMap: string }): Promise<void> {
    await client.deploy({ name: 'fuzz', code: `${code}\n`, sourceMap });
    const echoed = await client.execute('echo', { workflowId: 'at the end', input: 7 as never });
    if (echoed !== 7) this.complain(`after all, echo of 7 is ${JSON.stringify(echoed)}`);
    if ((await this.#server.stop('SIGTERM')) !== 0) this.complain(`the server did not stop cleanly: ${this.#server.output.slice(-2_000)}`);
    const unsound = await this.#server.unsound();
    if (unsound !== '') this.complain(`what it stored is not sound:\n${unsound}`);
  }

  async #send(url: string, init: RequestInit, told: string): Promise<Answer | undefined> {
    try {
      const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(HANG_MS) });
      const text = await response.text();
      this.byStatus[response.status] = (this.byStatus[response.status] ?? 0) + 1;
      if (response.status >= 500) this.complain(`answered ${response.status}: ${text.slice(0, 500)}\n  ${told}`);
      return { status: response.status, text, type: response.headers.get('content-type') ?? '' };
    } catch (error) {
      this.complain(`no answer (${String(error)}: ${String((error as Error).cause)})\n  ${told}`);
      return undefined;
    }
  }

  #validate(schema: object, { text, told, request }: { readonly text: string; readonly told: string; readonly request: string }): void {
    const resolved = '$ref' in schema ? { $ref: `api${(schema as { $ref: string }).$ref}` } : JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/'));
    const validate = this.#ajv.compile(resolved as object);
    if (!validate(JSON.parse(text))) this.complain(`${told} is not as its description says: ${this.#ajv.errorsText(validate.errors)}: ${text.slice(0, 500)}\n  ${request}`);
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly type: string;
}
