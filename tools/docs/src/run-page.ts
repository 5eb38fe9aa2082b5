import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import ts from 'typescript';
import { type PageFile, SCRIPT } from './page-files.js';

export interface Outcome {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs what a page says should run, in a scratch folder that sees the workspace's packages as an installed project would. */
export async function runPage(root: string, files: readonly PageFile[]): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-docs-'));
  try {
    await writeAll(folder, files);
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
    let output = '';
    for (const [program, ...args] of commandsOf(files)) {
      const outcome = await execute([program, ...args], { folder, root });
      output += outcome.output;
      if (outcome.exitCode !== 0) return { ...outcome, output };
    }
    return { exitCode: 0, output };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const isRunnable = ({ name, run }: PageFile): boolean => run || name === SCRIPT;

const commandsOf = (files: readonly PageFile[]): [string, ...string[]][] =>
  files.filter(isRunnable).map(({ name }) => (name === SCRIPT ? ['bash', '-euo', 'pipefail', name] : [process.execPath, name.replace(/\.ts$/, '.js')]));

async function writeAll(folder: string, files: readonly PageFile[]): Promise<void> {
  await writeFile(join(folder, 'package.json'), '{ "type": "module", "private": true }\n');
  for (const { name, text } of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
    if (name.endsWith('.ts')) await writeFile(join(folder, name.replace(/\.ts$/, '.js')), javaScriptOf(text));
  }
}

const javaScriptOf = (text: string): string => ts.transpile(text, { target: ts.ScriptTarget.ES2024, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true });

function execute([program, ...args]: readonly [string, ...string[]], { folder, root }: { folder: string; root: string }): Promise<Outcome> {
  const path = [dirname(process.execPath), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  const child = spawn(program, args, { cwd: folder, env: { ...process.env, PATH: path, NODE_OPTIONS: '' }, stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ exitCode: code ?? 1, output }));
  });
}
