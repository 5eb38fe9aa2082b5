import { isDeeperThan, LIMITS, PerdureError } from '@perdure/contract';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { byPrefix } from './by-prefix.js';

/** Signatures are over the raw body, so these routes get a Buffer whatever its content type. */
export const RAW_BODY_PREFIX = '/v1/webhooks/';

const JSON_TYPES = ['application/json', 'application/cloudevents+json', 'application/cloudevents-batch+json'];

const isRaw = (request: FastifyRequest): boolean => request.url.startsWith(RAW_BODY_PREFIX);

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * JSON as it is sent, but for `__proto__` keys, which are refused: they mean nothing good and would be lost
 * on the way. The text is decoded strictly, so that ill-formed UTF-8 is an error and not a replacement character.
 */
export const addBodyParsers = (instance: FastifyInstance, depthMoreByPrefix: Readonly<Record<string, number>> = {}): void => {
  const depthMax = ({ url }: FastifyRequest): number => LIMITS.jsonDepthMax + (byPrefix(depthMoreByPrefix, url) ?? 0);
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser(JSON_TYPES, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    try {
      refuseEncoded(request);
      done(null, isRaw(request) ? withinDepth(body, depthMax(request)) : parseJson(body, depthMax(request)));
    } catch (error) {
      done(error as Error);
    }
  });
  instance.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    // It may be JSON all the same.
    if (isRaw(request)) return isDeeperThan(body, LIMITS.jsonDepthMax) ? done(tooDeep()) : done(null, body);
    // A POST without content needs no type.
    if (body.length === 0) return done(null, undefined);
    done(new PerdureError('unsupported-media-type', `Send application/json, not ${request.headers['content-type'] ?? 'an unnamed type'}.`));
  });
};

/** What was compressed would be taken for broken JSON. */
const refuseEncoded = ({ headers }: FastifyRequest): void => {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') throw new PerdureError('unsupported-media-type', `Send the body as it is, not with Content-Encoding: ${encoding}.`);
};

const tooDeep = (): PerdureError => new PerdureError('invalid-request', `The body nests deeper than ${LIMITS.jsonDepthMax}.`);

/** @throws PerdureError `invalid-request` */
const withinDepth = (body: Buffer, depthMax: number): Buffer => {
  if (isDeeperThan(body, depthMax)) throw tooDeep();
  return body;
};

/** Nothing at all is `undefined`. @throws PerdureError `malformed-json`, `invalid-request` */
export const parseJson = (body: Buffer, depthMax: number = LIMITS.jsonDepthMax): unknown => {
  if (body.length === 0) return undefined;
  try {
    return parseText(utf8.decode(withinDepth(body, depthMax)));
  } catch (error) {
    throw error instanceof PerdureError ? error : new PerdureError('malformed-json', `The body is not JSON: ${(error as Error).message}`);
  }
};

const parseText = (text: string): unknown => {
  const value: unknown = JSON.parse(text);
  // The scan is cheap and nearly always says no; only then is the value walked.
  if ((text.includes('__proto__') || text.includes(String.raw`\u`)) && hasProtoKey(value)) throw new PerdureError('invalid-request', 'The key "__proto__" is not allowed.');
  return value;
};

const hasProtoKey = (root: unknown): boolean => {
  const stack = [root];
  while (stack.length > 0) {
    const value = stack.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (Object.hasOwn(value, '__proto__')) return true;
    stack.push(...Object.values(value));
  }
  return false;
};
