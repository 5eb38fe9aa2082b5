import fc from 'fast-check';
import { schemaArbitrary, type JsonSchema, type OpenApi, type Operation, type Parameter } from './schema-arbitrary.js';

export interface FuzzRequest {
  readonly operation: Operation;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

const JUNK: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(null, '', 0, -1, 1.5, 1e308, 2 ** 53, '\u0000', '\ud800', '__proto__', 'constructor', '../../etc', 'é'.repeat(300), 'x'.repeat(5_000), [], {}, [[[[[]]]]], { __proto__: 1 }, true),
);
const JUNK_KEYS = ['__proto__', 'constructor', 'toString', 'zzz', '', 'runId', 'input', 'id', 'tenant'];

/** The value, or the value with something in it exchanged, added or gone. */
const mutated = (value: unknown): fc.Arbitrary<unknown> => {
  if (typeof value !== 'object' || value === null) return fc.oneof({ weight: 2, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: JUNK });
  const keys = Object.keys(value);
  const own = value as Record<string, unknown>;
  return fc.tuple(fc.constantFrom('exchange', 'omit', 'add'), fc.nat(Math.max(0, keys.length - 1)), JUNK, fc.constantFrom(...JUNK_KEYS)).chain(([how, at, junk, key]): fc.Arbitrary<unknown> => {
    const chosen = keys[at];
    if (Array.isArray(value)) return fc.constant(how === 'omit' ? value.slice(1) : [...(value as unknown[]), junk]);
    if (how === 'add' || chosen === undefined) return fc.constant(Object.fromEntries([...Object.entries(own), [key, junk]]));
    if (how === 'omit') return fc.constant(Object.fromEntries(Object.entries(own).filter(([name]) => name !== chosen)));
    return mutated(own[chosen]).map((inner) => ({ ...own, [chosen]: inner }));
  });
};

const DEEP = 100_000;
/** Bodies that are no JSON, or not of the kind that they say. */
const rawBody: fc.Arbitrary<string | Uint8Array<ArrayBuffer>> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.from(bytes)),
  fc.constantFrom('', '{', '{"a":1,}', 'nul', '[1,2', '"\\ud800"', '{"workflowType":"echo","workflowType":"none"}', '['.repeat(DEEP) + ']'.repeat(DEEP), `{"workflowType":"echo","input":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`, `{"workflowType":"echo","input":${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}}`, '1e999', '{"input":-0}', '\ufeff{}'),
);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : JSON.stringify(value) ?? '');
const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '').slice(0, 2_000);
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());

/** One request in three is as the document says; the others have something wrong. */
export const fuzzRequest = (api: OpenApi): fc.Arbitrary<FuzzRequest> =>
  fc.constantFrom(...api.operations).chain((operation) => {
    const parameters = fc.tuple(...operation.parameters.map((parameter) => parameterOf(api, parameter)));
    const body = operation.body === undefined ? fc.constant(undefined) : bodyOf(api, operation.body);
    const type = fc.oneof({ weight: 12, arbitrary: fc.constant(operation.bodyType ?? 'application/json') }, { weight: 1, arbitrary: fc.constantFrom('text/plain', 'application/json; charset=utf-16', 'application/cloudevents-batch+json', 'x', '') });
    return fc.record({ parameters, body, type }).map((made) => toRequest(operation, made));
  });

const parameterOf = (api: OpenApi, { name, in: where, required, schema }: Parameter): fc.Arbitrary<{ name: string; where: string; text: string | undefined }> => {
  const value = fc.oneof({ weight: 4, arbitrary: schemaArbitrary(api, schema, { name }) }, { weight: 1, arbitrary: JUNK });
  const given = value.map((each) => textOf(each));
  return (required ? given : fc.option(given, { nil: undefined })).map((text) => ({ name, where, text }));
};

const bodyOf = (api: OpenApi, schema: JsonSchema): fc.Arbitrary<string | Uint8Array<ArrayBuffer>> => {
  const valid = schemaArbitrary(api, schema, { name: 'body' });
  return fc.oneof(
    { weight: 4, arbitrary: valid.map((value) => JSON.stringify(value) ?? '') },
    { weight: 5, arbitrary: valid.chain(mutated).map((value) => JSON.stringify(value) ?? '') },
    { weight: 1, arbitrary: rawBody },
  );
};

interface Made {
  readonly parameters: readonly { readonly name: string; readonly where: string; readonly text: string | undefined }[];
  readonly body: string | Uint8Array<ArrayBuffer> | undefined;
  readonly type: string;
}

const toRequest = (operation: Operation, { parameters, body, type }: Made): FuzzRequest => {
  const given = parameters.filter((each): each is { name: string; where: string; text: string } => each.text !== undefined);
  const at = (where: string): typeof given => given.filter((each) => each.where === where);
  const path = at('path').reduce((sum, { name, text }) => sum.replace(`{${name}}`, encoded(text) || '%20'), operation.path);
  const query = at('query').map(({ name, text }) => `${encoded(name === 'attributes' ? 'attr.city' : name)}=${encoded(text)}`).join('&');
  const headers = Object.fromEntries(at('header').map(({ name, text }) => [name, printable(text)]));
  return { operation, path: query === '' ? path : `${path}?${query}`, headers: body === undefined || type === '' ? headers : { ...headers, 'content-type': type }, ...(body === undefined ? {} : { body }) };
};
