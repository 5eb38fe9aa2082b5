import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Made once a data folder, for nobody else to read. */
export interface Secrets {
  readonly snapshotKey: string;
  readonly nodeToken: string;
}

export const secretsOf = (folder: string): Secrets => {
  const path = join(folder, 'secrets.json');
  if (!existsSync(path)) writeFileSync(path, JSON.stringify({ snapshotKey: randomBytes(32).toString('hex'), nodeToken: randomBytes(24).toString('hex') }), { mode: 0o600 });
  return JSON.parse(readFileSync(path, 'utf8')) as Secrets;
};
