import { BundleSource, type BundleCode } from '@perdure/history';
import type { StoredBundle } from '@perdure/ingestion';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase, type Schema } from './open-database.js';

const META: Schema = {
  name: 'meta',
  migrations: [
    `create table bundle (tenant text not null, hash text not null, name text not null, code text not null, source_map text, workflows text not null, bytes integer not null, created_at integer not null, primary key (tenant, hash)) without rowid;
     create table bundle_default (tenant text not null, type text not null, hash text not null, primary key (tenant, type)) without rowid;
     create table secret (name text primary key, value blob not null) without rowid;`,
    'create table property (name text primary key, value text not null) without rowid',
    'alter table bundle add column retiring integer not null default 0',
  ],
};

export interface DeployedBundle {
  readonly hash: string;
  readonly name: string;
  readonly code: string;
  readonly sourceMap?: string;
  readonly workflows: readonly string[];
  readonly createdAt: number;
}

interface BundleRecord {
  hash: string;
  name: string;
  workflows: string;
  bytes: number;
  created_at: number;
}

/** What all shards of a data folder share: bundles, and the key that authenticates snapshots. Few writes, each its own transaction. */
export class MetaFile {
  readonly #db: DatabaseSync;

  constructor(path: string) {
    this.#db = openDatabase(path, META);
  }

  /** A secret that is made once and kept. */
  secret(name: string, make: () => Uint8Array): Uint8Array {
    this.#db.prepare('insert into secret values (?, ?) on conflict (name) do nothing').run(name, make());
    return (this.#db.prepare('select value from secret where name = ?').get(name) as { value: Uint8Array }).value;
  }

  /** A property of the data folder that is set once and kept. */
  property(name: string, make: () => string): string {
    const known = this.known(name);
    if (known !== undefined) return known;
    this.#db.prepare('insert into property values (?, ?) on conflict (name) do nothing').run(name, make());
    return this.known(name)!;
  }

  /** The property, if it has been set. */
  known(name: string): string | undefined {
    return (this.#db.prepare('select value from property where name = ?').get(name) as { value: string } | undefined)?.value;
  }

  /** Keeps the bundle and makes it the default for its workflows. */
  deploy(tenant: string, { hash, name, code, sourceMap, workflows, createdAt }: DeployedBundle): void {
    this.#transaction(() => {
      this.#db
        .prepare('insert into bundle (tenant, hash, name, code, source_map, workflows, bytes, created_at) values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (tenant, hash) do update set retiring = 0')
        .run(tenant, hash, name, code, sourceMap ?? null, JSON.stringify(workflows), Buffer.byteLength(code), createdAt);
      const put = this.#db.prepare('insert into bundle_default values (?, ?, ?) on conflict (tenant, type) do update set hash = excluded.hash');
      for (const type of workflows) put.run(tenant, type, hash);
    });
  }

  list(tenant: string): StoredBundle[] {
    const defaults = this.#db.prepare('select type, hash from bundle_default where tenant = ?').all(tenant) as unknown as { type: string; hash: string }[];
    const records = this.#db.prepare('select hash, name, workflows, bytes, created_at from bundle where tenant = ? and retiring = 0 order by created_at desc, hash').all(tenant) as unknown as BundleRecord[];
    return records.map(({ hash, name, workflows, bytes, created_at }) => ({
      hash, name, bytes, createdAt: created_at,
      workflows: JSON.parse(workflows) as string[],
      defaultFor: defaults.filter((each) => each.hash === hash).map(({ type }) => type).sort(),
    }));
  }

  code(tenant: string, hash: string): (BundleCode & { readonly sourceMap?: string }) | undefined {
    const row = this.#db.prepare('select code, workflows, source_map from bundle where tenant = ? and hash = ? and retiring = 0').get(tenant, hash) as { code: string; workflows: string; source_map: string | null } | undefined;
    return row && { hash, code: row.code, workflows: JSON.parse(row.workflows) as string[], ...(row.source_map === null ? {} : { sourceMap: row.source_map }) };
  }

  defaultFor(tenant: string, type: string): string | undefined {
    return (this.#db.prepare('select hash from bundle_default where tenant = ? and type = ?').get(tenant, type) as { hash: string } | undefined)?.hash;
  }

  /** Nobody finds it from now on, until it is gone or it turns out that somebody had found it before. */
  beginRetirement(tenant: string, hash: string): void {
    this.#db.prepare('update bundle set retiring = 1 where tenant = ? and hash = ?').run(tenant, hash);
  }

  /** Removes it, unless `mayGo` throws. */
  endRetirement(tenant: string, hash: string, mayGo: (bundle: StoredBundle | undefined) => void): void {
    let refusal: unknown;
    this.#transaction(() => {
      this.#db.prepare('update bundle set retiring = 0 where tenant = ? and hash = ?').run(tenant, hash);
      try {
        mayGo(this.list(tenant).find((each) => each.hash === hash));
        this.#db.prepare('delete from bundle where tenant = ? and hash = ?').run(tenant, hash);
      } catch (thrown) {
        refusal = thrown;
      }
    });
    if (refusal !== undefined) throw refusal;
  }

  /** The process died in the midst of them: whether somebody had found these bundles is not known. */
  undoRetirements(): void {
    this.#db.exec('update bundle set retiring = 0 where retiring = 1');
  }

  #transaction(write: () => void): void {
    this.#db.exec('begin immediate');
    try {
      write();
      this.#db.exec('commit');
    } catch (error) {
      this.#db.exec('rollback');
      throw error;
    }
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }
}

/** Bundles whose code a shard keeps at hand; others are read again. */
const BUNDLES_AT_HAND_MAX = 32;

/** A shard's view of the deployed bundles. Code is content-addressed and so may be kept; defaults change and are asked for. */
export class SqliteBundleSource extends BundleSource {
  readonly #meta: MetaFile;
  readonly #found = new Map<string, BundleCode>();

  constructor(meta: MetaFile) {
    super();
    this.#meta = meta;
  }

  override async find(tenant: string, hash: string): Promise<BundleCode | undefined> {
    const key = `${tenant}\u0000${hash}`;
    const known = this.#found.get(key) ?? this.#meta.code(tenant, hash);
    this.#found.delete(key);
    if (!known) return undefined;
    this.#found.set(key, known);
    const [longestUnused] = this.#found.keys();
    if (this.#found.size > BUNDLES_AT_HAND_MAX) this.#found.delete(longestUnused!);
    return known;
  }

  override forget(tenant: string, hash: string): void {
    this.#found.delete(`${tenant}\u0000${hash}`);
  }

  override async defaultFor(tenant: string, workflowType: string): Promise<string | undefined> {
    return this.#meta.defaultFor(tenant, workflowType);
  }
}
