import { PerdureError } from '@perdure/contract';

/** What is used of a Fastify instance; Nest's adapter hands it out. */
interface ParserHost {
  hasContentTypeParser(type: string): boolean;
  removeContentTypeParser(type: string): unknown;
  addContentTypeParser(type: string, options: { parseAs: 'string'; bodyLimit?: number }, parse: (request: unknown, body: string, done: (error: Error | null, value?: unknown) => void) => void): unknown;
}

/**
 * The bodies of direct calls and of what the sidecar brings. To be put on an encapsulated instance that has these routes alone: the
 * API's own parsers limit size and depth to what one request may have, and a message holds a whole payload within others.
 */
export const addDeliveryParsers = (instance: ParserHost, bodyBytesMax: number): void => {
  for (const type of ['application/json', 'application/cloudevents+json']) {
    if (instance.hasContentTypeParser(type)) instance.removeContentTypeParser(type);
    instance.addContentTypeParser(type, { parseAs: 'string', bodyLimit: bodyBytesMax }, (_request, body, done) => {
      try {
        done(null, JSON.parse(body));
      } catch (error) {
        done(new PerdureError('malformed-json', `The body is not JSON: ${(error as Error).message}`));
      }
    });
  }
};
