import fc from 'fast-check';

export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema | true>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

export interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly id: string;
  readonly parameters: readonly Parameter[];
  readonly body: JsonSchema | undefined;
  readonly bodyType: string | undefined;
  /** By status: the schema of a JSON answer; `null` when another kind of answer, or none, is described. */
  readonly answers: ReadonlyMap<number, JsonSchema | null>;
}

export interface OpenApi {
  readonly document: object;
  readonly operations: readonly Operation[];
}

type Described = Readonly<Record<string, never>> & { readonly $ref?: string };

export const resolveRef = <T extends { readonly $ref?: string }>(document: object, given: T): T => {
  if (given.$ref === undefined) return given;
  const found = given.$ref.slice(2).split('/').reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], document);
  return resolveRef(document, found as T);
};

interface RawOperation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
  readonly responses: Readonly<Record<string, Described & { readonly content?: Readonly<Record<string, { readonly schema?: JsonSchema }>> }>>;
}

const METHODS = ['get', 'post', 'delete'];

export const readOperations = (document: { readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> }): OpenApi => {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, raw]) => (METHODS.includes(method) ? [toOperation(document, { path, method }, raw as RawOperation)] : [])),
  );
  return { document, operations };
};

const toOperation = (document: object, { path, method }: { readonly path: string; readonly method: string }, { operationId, parameters = [], requestBody, responses }: RawOperation): Operation => {
  const [bodyType, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  const answers = Object.entries(responses).map(([status, response]): [number, JsonSchema | null] => {
    const { content = {} } = resolveRef(document, response) as RawOperation['responses'][string];
    return [Number(status), (content['application/json'] ?? content['application/problem+json'])?.schema ?? null];
  });
  return { method, path, id: operationId, parameters: parameters.map((each) => resolveRef(document, each)), body: media?.schema, bodyType, answers: new Map(answers) };
};

/** Names that the attacked server knows, so that a request may get somewhere; and times that do not keep the attacker waiting. */
const KNOWN: Readonly<Record<string, readonly unknown[]>> = {
  workflowId: ['w1', 'w2', 'w3', 'ü/%2f', '..'], workflowType: ['echo', 'waits', 'throws', 'none'], name: ['go', 'add', 'stage', 'none'], id: ['i1', 'i2', 'i3'], inputId: ['i1', 'i2', 'start'],
  type: ['scan', 'echo'], source: ['s', 'github', 'none'], wait: [0, 0.2], waitMs: [0, 100], Prefer: ['respond-async', 'wait=0.2', 'wait=x', 'handling=strict'], queues: [['default']], session: ['s1', 's2'], worker: ['w'], runTimeout: ['1s', 1_000, '-1s', '1e9 years'],
};
const DEPTH_MAX = 4;

/** Values that a schema allows, more or less: what it says beyond types, lists, bounds and patterns is left to chance. */
export const schemaArbitrary = (api: OpenApi, given: JsonSchema | true, { name, depth = 0 }: { readonly name: string; readonly depth?: number }): fc.Arbitrary<unknown> => {
  const known = KNOWN[name];
  const plain = plainArbitrary(api, given, { name, depth });
  return known === undefined ? plain : fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...known) }, { weight: name.startsWith('wait') ? 0 : 1, arbitrary: plain });
};

const plainArbitrary = (api: OpenApi, given: JsonSchema | true, { name, depth }: { readonly name: string; readonly depth: number }): fc.Arbitrary<unknown> => {
  const schema = given === true ? {} : resolveRef(api.document, given);
  if (depth > DEPTH_MAX) return fc.constant(null);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const either = schema.oneOf ?? schema.anyOf;
  if (either) return fc.oneof(...either.map((each) => schemaArbitrary(api, each, { name, depth: depth + 1 })));
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0];
  switch (type) {
    case 'string':
      return stringOf(schema);
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -5, max: Math.min(schema.maximum ?? 10_000, 2 ** 31 - 1) });
    case 'number':
      return fc.double({ min: schema.minimum ?? -5, max: schema.maximum ?? 10_000, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(schemaArbitrary(api, schema.items ?? {}, { name, depth: depth + 1 }), { maxLength: 4 });
    case 'object':
      return objectOf(api, schema, depth);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
};

const stringOf = ({ pattern, format, minLength = 0, maxLength = 40 }: JsonSchema): fc.Arbitrary<string> => {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  return fc.oneof({ weight: 3, arbitrary: fc.string({ minLength, maxLength: Math.min(maxLength, 40) }) }, { weight: 1, arbitrary: fc.string({ minLength, maxLength, unit: 'grapheme' }) });
};

const objectOf = (api: OpenApi, { properties = {}, required = [] }: JsonSchema, depth: number): fc.Arbitrary<unknown> => {
  const members = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, schemaArbitrary(api, schema, { name, depth: depth + 1 })]));
  return fc.record(members, { requiredKeys: required.filter((name) => name in members) });
};
