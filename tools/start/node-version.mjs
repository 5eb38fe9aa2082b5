// Perdure needs Node 26 (node:sqlite, today's toolchain). Whatever Node runs this script, find one that will do.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const NODE_MAJOR = 26;

const majorOf = (version) => Number(version.split('.')[0]);

/** Path of a Node of at least NODE_MAJOR: the running one, or the npm package for this platform. `undefined` when there is none. */
export const findNode = (root, current = process) => {
  if (majorOf(current.versions.node) >= NODE_MAJOR) return current.execPath;
  const os = current.platform === 'win32' ? 'win' : current.platform;
  const program = current.platform === 'win32' ? 'node.exe' : 'node';
  return [`node-${os}-${current.arch}`, `node-bin-${os}-${current.arch}`].map((name) => join(root, 'node_modules', name, 'bin', program)).find(existsSync);
};

/** The environment in which every child finds that Node first. */
export const withNode = (node, env = process.env) => ({ ...env, PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${env.PATH ?? ''}` });
