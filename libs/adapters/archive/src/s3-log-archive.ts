import type { S3Client } from '@aws-sdk/client-s3';
import { LogArchive, nameOfSegment, type LogName, type Segment } from '@perdure/delivery';
import { toUnavailable } from './archive-fault.js';
import { ARCHIVE_STORE_LIMITS } from './archive-limits.js';
import { pack, unpack } from './packed.js';
import { fileOf, parseFile, pathOfLog } from './segment-path.js';

type Sdk = typeof import('@aws-sdk/client-s3');

export interface S3LogArchiveOptions {
  readonly bucket: string;
  /** Before all keys, without a slash at its end; may be empty. */
  readonly prefix: string;
  /** Of a server that is not AWS; buckets are then in the path. */
  readonly endpoint?: string;
  /** Default: as the SDK finds it; with an endpoint `us-east-1`. */
  readonly region?: string;
  /** Default: as the SDK finds them. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** An archive in a bucket of S3, or of what speaks like it. A segment is put on the condition that there is none under its key. */
export class S3LogArchive extends LogArchive {
  readonly #options: S3LogArchiveOptions;
  readonly #sdk: Sdk;
  readonly #client: S3Client;

  private constructor(options: S3LogArchiveOptions, sdk: Sdk) {
    super();
    this.#options = options;
    this.#sdk = sdk;
    this.#client = new sdk.S3Client(toClientConfig(options));
  }

  /** Who does not use it does not load the SDK. */
  static async load(options: S3LogArchiveOptions): Promise<S3LogArchive> {
    return new S3LogArchive(options, await import('@aws-sdk/client-s3'));
  }

  override async segments(log: LogName): Promise<readonly Segment[]> {
    const { bucket } = this.#options;
    const folder = this.#keyOf(log, '');
    const found: Segment[] = [];
    try {
      for await (const { Contents } of this.#sdk.paginateListObjectsV2({ client: this.#client }, { Bucket: bucket, Prefix: folder })) {
        for (const { Key = '' } of Contents ?? []) found.push(...[parseFile(Key.slice(folder.length)) ?? []].flat());
      }
      return found;
    } catch (thrown) {
      throw toUnavailable(thrown, `list what is archived of ${log.slice}`);
    }
  }

  override async put(log: LogName, segment: Segment, text: string): Promise<boolean> {
    const Body = await pack(text);
    try {
      await this.#client.send(new this.#sdk.PutObjectCommand({ Bucket: this.#options.bucket, Key: this.#keyOf(log, fileOf(segment)), Body, IfNoneMatch: '*', ContentType: 'application/zstd' }));
      return true;
    } catch (thrown) {
      if ((thrown as Error).name === 'PreconditionFailed') return false;
      throw toUnavailable(thrown, `take ${nameOfSegment(log, segment)}`);
    }
  }

  override async get(log: LogName, segment: Segment): Promise<string> {
    try {
      const { Body } = await this.#client.send(new this.#sdk.GetObjectCommand({ Bucket: this.#options.bucket, Key: this.#keyOf(log, fileOf(segment)) }));
      return await unpack(await Body!.transformToByteArray());
    } catch (thrown) {
      throw toUnavailable(thrown, `give ${nameOfSegment(log, segment)}`);
    }
  }

  close(): void {
    this.#client.destroy();
  }

  #keyOf(log: LogName, file: string): string {
    const { prefix } = this.#options;
    return `${prefix === '' ? '' : `${prefix}/`}${pathOfLog(log)}/${file}`;
  }
}

const toClientConfig = ({ endpoint, region, credentials }: S3LogArchiveOptions) => {
  const { connectTimeoutMs, requestTimeoutMs, triesMax, connectionsMax } = ARCHIVE_STORE_LIMITS;
  const place = region ?? (endpoint === undefined ? undefined : 'us-east-1');
  return {
    maxAttempts: triesMax,
    requestHandler: { connectionTimeout: connectTimeoutMs, requestTimeout: requestTimeoutMs, throwOnRequestTimeout: true, httpAgent: { maxSockets: connectionsMax }, httpsAgent: { maxSockets: connectionsMax } },
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(place === undefined ? {} : { region: place }),
    ...(credentials ? { credentials: { ...credentials } } : {}),
  };
};
