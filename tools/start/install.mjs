// Installs once per lock file: the stamp inside node_modules is the hash of the lock file that made it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const lockHash = (root) => createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');

export const isInstalled = (root) => {
  const stamp = join(root, 'node_modules', '.perdure-lock');
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash(root);
};

/** `what` says whose packages they are. */
export const ensureInstalled = (root, what = 'npm packages') => {
  if (isInstalled(root)) return;
  console.error(`perdure: installing ${what} (once per lock file) …`);
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' });
  if (error || status !== 0) {
    console.error(`perdure: npm ci failed${error ? `: ${error.message}` : ` with exit code ${status}`}`);
    process.exit(status || 1);
  }
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(join(root, 'node_modules', '.perdure-lock'), lockHash(root));
};
