import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Workspace, workspaceOf } from './workspace.js';

const TEXT_BYTES_MAX = 4 * 1024 * 1024;

/** What git tracks or would add, so that a forgotten file is found before it is committed. */
export function readWorkspace(root: string): Workspace {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const paths = [...new Set(listed.split('\0'))].filter((path) => path !== '' && isText(join(root, path)));
  return workspaceOf(Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')])));
}

function isText(path: string): boolean {
  if (!existsSync(path) || !lstatSync(path).isFile() || lstatSync(path).size > TEXT_BYTES_MAX) return false;
  return !/\.(wasm|png|jpe?g|gif|ico|woff2?|gz|zip|db)$/.test(path);
}
