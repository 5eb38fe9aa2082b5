import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3LogArchiveOptions } from '@perdure/archive';

/** `server`: with the access key and its secret. */
export const toS3Options = ({ origin, username, password }: URL, where: { readonly bucket: string; readonly prefix: string }): S3LogArchiveOptions & { readonly credentials: NonNullable<S3LogArchiveOptions['credentials']> } => ({
  ...where, endpoint: origin, credentials: { accessKeyId: username, secretAccessKey: password },
});

export async function makeBucket(server: URL, bucket: string): Promise<void> {
  const { endpoint, credentials } = toS3Options(server, { bucket, prefix: '' });
  const client = new S3Client({ endpoint: endpoint!, credentials, region: 'us-east-1', forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
}
