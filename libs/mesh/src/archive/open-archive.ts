import { FolderLogArchive, S3LogArchive } from '@perdure/archive';
import type { LogArchive } from '@perdure/delivery';
import type { ArchiveConfig } from '../config.js';

/** What the configuration names. It is not asked for anything yet. */
export async function openArchive({ place, endpoint, region }: ArchiveConfig): Promise<{ readonly archive: LogArchive; close(): void }> {
  if (place.kind === 'folder') return { archive: new FolderLogArchive(place.path), close: () => undefined };
  const { bucket, prefix } = place;
  const archive = await S3LogArchive.load({ bucket, prefix, ...(endpoint === undefined ? {} : { endpoint }), ...(region === undefined ? {} : { region }) });
  return { archive, close: () => archive.close() };
}
