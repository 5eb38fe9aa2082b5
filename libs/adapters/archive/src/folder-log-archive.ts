import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LogArchive, nameOfSegment, type LogName, type Segment } from '@perdure/delivery';
import { toUnavailable } from './archive-fault.js';
import { pack, unpack } from './packed.js';
import { fileOf, parseFile, pathOfLog } from './segment-path.js';

/**
 * An archive in a folder that all nodes of a service see, on a file system with hard links: a segment is written under a name of its own, synced, and linked
 * to its place, which fails if there is one. What begins with a dot is of a put that was broken off, and may be deleted.
 */
export class FolderLogArchive extends LogArchive {
  readonly #root: string;

  constructor(root: string) {
    super();
    this.#root = root;
  }

  override async segments(log: LogName): Promise<readonly Segment[]> {
    try {
      return (await readdir(this.#folderOf(log))).flatMap((file) => parseFile(file) ?? []);
    } catch (thrown) {
      if (isCode(thrown, 'ENOENT')) return [];
      throw toUnavailable(thrown, `list what is archived of ${log.slice}`);
    }
  }

  override async put(log: LogName, segment: Segment, text: string): Promise<boolean> {
    try {
      return await this.#put(this.#folderOf(log), fileOf(segment), await pack(text));
    } catch (thrown) {
      throw toUnavailable(thrown, `take ${nameOfSegment(log, segment)}`);
    }
  }

  override async get(log: LogName, segment: Segment): Promise<string> {
    try {
      return await unpack(await readFile(join(this.#folderOf(log), fileOf(segment))));
    } catch (thrown) {
      throw toUnavailable(thrown, `give ${nameOfSegment(log, segment)}`);
    }
  }

  async #put(folder: string, file: string, content: Uint8Array): Promise<boolean> {
    await this.#make(folder);
    const made = join(folder, `.${file}.${randomUUID()}`);
    try {
      await writeSynced(made, content);
      return await linkNew(made, join(folder, file));
    } finally {
      await rm(made, { force: true });
      // Also if another has put it: it may not have come so far.
      await sync(folder);
    }
  }

  /** With the entries of its parents on the disk. */
  async #make(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true });
    if (first === undefined) return;
    for (let made = folder; made.length >= first.length; made = dirname(made)) await sync(dirname(made));
  }

  #folderOf(log: LogName): string {
    return join(this.#root, pathOfLog(log));
  }
}

async function writeSynced(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (thrown) {
    if (isCode(thrown, 'EEXIST')) return false;
    throw thrown;
  }
}

async function sync(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const isCode = (thrown: unknown, code: string): boolean => (thrown as { readonly code?: unknown } | undefined)?.code === code;
