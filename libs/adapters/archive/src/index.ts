export { FolderLogArchive } from './folder-log-archive.js';
export { S3LogArchive } from './s3-log-archive.js';
export type { S3LogArchiveOptions } from './s3-log-archive.js';
