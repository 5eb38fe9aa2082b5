import { PerdureError } from '@perdure/contract';
import { z } from 'zod';

const sidecarError = z.object({ errorCode: z.string().startsWith('ERR_'), message: z.string().default('') });
export type SidecarError = z.output<typeof sidecarError>;

/** What came back through the sidecar: status and body as whoever answered gave them. */
export class DaprAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;

  constructor(answer: Pick<DaprAnswer, 'status' | 'headers' | 'body'>) {
    this.status = answer.status;
    this.headers = answer.headers;
    this.body = answer.body;
  }

  get isSuccess(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get text(): string {
    return this.body.toString('utf8');
  }

  /** `undefined` for an empty body. @throws PerdureError `internal` when it is no JSON */
  json(): unknown {
    if (this.body.length === 0) return undefined;
    try {
      return JSON.parse(this.text);
    } catch (cause) {
      throw new PerdureError('internal', `An answer of status ${this.status} is not JSON: ${this.text.slice(0, 200)}`, { cause });
    }
  }

  /** The sidecar's own word, not that of the app behind it: ours answer errors as `application/problem+json`. */
  get sidecarError(): SidecarError | undefined {
    if (this.isSuccess || !String(this.headers['content-type'] ?? '').startsWith('application/json')) return undefined;
    try {
      return sidecarError.safeParse(this.json()).data;
    } catch {
      // No JSON: then it is no word of the sidecar's either, and the caller still has status and body.
      return undefined;
    }
  }
}
