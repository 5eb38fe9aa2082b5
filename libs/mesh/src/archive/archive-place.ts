import { fileURLToPath } from 'node:url';

/** Where logs are archived. */
export type ArchivePlace = { readonly kind: 'folder'; readonly path: string } | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string };

/** `file:///a/folder` or `s3://bucket/prefix`. Undefined: it is neither. */
export function parseArchivePlace(text: string): ArchivePlace | undefined {
  const url = URL.parse(text);
  if (url?.search || url?.hash) return undefined;
  if (url?.protocol === 'file:' && url.host === '') return { kind: 'folder', path: fileURLToPath(url) };
  if (url?.protocol !== 's3:' || url.host === '' || url.port !== '' || url.username !== '') return undefined;
  return { kind: 's3', bucket: url.host, prefix: decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, '') };
}
