// Runs one of the root scripts on a fresh clone: installs what is missing, finds Node 26, builds, runs. No dependencies, any Node from 20 on.
import { spawn, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './install.mjs';
import { findNode, NODE_MAJOR, withNode } from './node-version.mjs';
import { oneAtATime } from './one-at-a-time.mjs';

/** Who waits for this, before an install or a build takes its time. */
const shell = process.ppid;

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const bin = (name, entry) => join(root, 'node_modules', name, entry);
const tsc = bin('typescript', 'bin/tsc');

/** kafkajs asks for a timer in the past, once a process; it means at once. */
const quiet = ['--disable-warning=TimeoutNegativeWarning'];

/** What each script runs, after the build where it needs one. */
const SCRIPTS = {
  // It ends with this process, however that ends: a server that nobody sees would keep the data folder and the port.
  start: { build: true, args: ['apps/standalone/dist/main.js'], isAttended: true },
  perdure: { build: true, args: ['apps/cli/dist/main.js'], keepDirectory: true, isWatched: true },
  // Its own packages (Restate, Temporal's SDK, DBOS) are no part of the workspace's install; without the peers none are needed.
  bench: { build: true, own: 'tools/bench', args: [...quiet, 'tools/bench/dist/main.js'] },
  // The whole mesh with real servers: --help says more. It ends with this process, too: the next one would find the machine taken by nobody that is to be seen.
  mesh: { build: true, args: [...quiet, 'tools/mesh/dist/main.js'], isAttended: true },
  build: { args: [tsc, '-b'] },
  test: { build: true, args: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', bin('jest', 'bin/jest.js')] },
  'test:crash': { build: true, args: [...quiet, 'libs/testing/ledger/dist/main.js', '--server', 'apps/standalone/dist/main.js'] },
  // The specs that need real servers, which it has, starts and ends.
  'test:mesh': { build: true, args: ['tools/servers/dist/main.js'] },
  // A thousand random programs, or others: --from N --programs K.
  'test:programs': { build: true, args: ['libs/testing/programs/dist/main.js'] },
  'test:sim': { build: true, args: ['libs/testing/simulator/dist/main.js'] },
  'test:hogs': { build: true, args: ['libs/testing/attack/dist/main.js', 'hogs', '--server', 'apps/standalone/dist/main.js'] },
  'test:fuzz': { build: true, args: ['libs/testing/attack/dist/main.js', 'fuzz', '--server', 'apps/standalone/dist/main.js'] },
  // The boundary rule reads Nx's project graph, so that is made first.
  lint: { before: [bin('nx', 'dist/bin/nx.js'), 'show', 'projects'], args: [bin('eslint', 'bin/eslint.js'), '.', '--max-warnings=0'] },
};

const [name = '', ...rest] = process.argv.slice(2);
const script = SCRIPTS[name];
if (!script) {
  console.error(`perdure: no script "${name}"; there are ${Object.keys(SCRIPTS).join(', ')}`);
  process.exit(2);
}

const doesWithout = /--only[= ](perdure|mesh)\b|--help/.test(rest.join(' '));
const prepare = () => {
  ensureInstalled(root);
  if (script.own && !doesWithout) ensureInstalled(join(root, script.own), `the packages of ${script.own}`);
  const node = findNode(root);
  if (!node) {
    console.error(`perdure: needs Node ${NODE_MAJOR} or later; this is ${process.version}, and there is no npm package of Node ${NODE_MAJOR} for ${process.platform}-${process.arch}. Install Node ${NODE_MAJOR} and run again.`);
    process.exit(1);
  }
  if (script.build) {
    if (name === 'start') console.error('perdure: building (the first time takes about half a minute) …');
    const { status } = spawnSync(node, [tsc, '-b'], { cwd: root, env: withNode(node), stdio: ['ignore', 2, 2] });
    if (status !== 0) process.exit(status ?? 1);
  }
  return node;
};
const node = oneAtATime(root, prepare);
const env = withNode(node);

if (script.before) {
  const { status } = spawnSync(node, script.before, { cwd: root, env: { ...env, NX_DAEMON: 'false' }, stdio: ['ignore', 'ignore', 2] });
  if (status !== 0) process.exit(status ?? 1);
}

const [first, ...others] = script.args;
const args = [first.startsWith('apps/') ? join(root, first) : first, ...others, ...rest];
const child = spawn(node, args, { cwd: script.keepDirectory ? process.env.INIT_CWD ?? process.cwd() : root, env, stdio: script.isAttended ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit' });
// A terminal's Ctrl-C reaches the child by itself, which leaves it to a parent that attends it; else this process only waits. Signals sent to this process alone are passed on.
const passOn = (signal) => {
  if (signal === 'SIGINT' && script.isAttended) child.kill('SIGTERM');
  else if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => passOn(signal));
// A signal for npm ends the shell in which npm runs this, and comes no further.
if ((script.isAttended || script.isWatched) && process.env.npm_lifecycle_event) {
  const looking = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(looking);
    child.kill('SIGTERM');
  }, 250);
  looking.unref();
}
child.on('error', (error) => {
  console.error(`perdure: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  } else process.exit(code ?? 1);
});
