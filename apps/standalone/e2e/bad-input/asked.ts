import { request as httpRequest } from 'node:http';

/** One request, as a client that means no good may send it. */
export interface Asked {
  readonly method?: string;
  readonly path: string;
  /** A key that is there twice is sent twice. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** An object is sent as JSON; text and bytes as they are. */
  readonly body?: unknown;
  /** Default: the API key of the tenant whose runs there are. Empty: none. */
  readonly key?: string;
}

export interface Answered {
  readonly status: number;
  readonly type: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

const bytesOf = (body: unknown): string | Buffer | undefined => (body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));

/** By plain `node:http`, which sends what others would mend. A connection each, since the server may close it. */
export const ask = (url: string, { method = 'POST', path, headers = {}, body, key }: Asked): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const bytes = bytesOf(body);
    const sent = { ...(bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(bytes)) }), ...(key ? { authorization: `Bearer ${key}` } : {}), ...headers };
    const request = httpRequest(`${url}/`, { method, path, headers: sent, agent: false, setDefaultHeaders: true }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'], headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    // The server may answer and close before it has read all: the answer counts.
    request.on('error', reject);
    request.end(bytes);
  });
