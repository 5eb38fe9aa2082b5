import { dirname, join } from 'node:path';
import ts from 'typescript';
import type { PageFile } from './page-files.js';

/** Type-checks every page's files in one program, each page in a folder of its own that exists in memory only. Gives `page:line: message`. */
export function typecheck(root: string, pages: ReadonlyMap<string, readonly PageFile[]>): string[] {
  const files = new Map([...pages].flatMap(([page, made]) => made.filter(({ name }) => /\.[mc]?ts$/.test(name)).map((file) => [join(folderOf(root, page), file.name), file] as const)));
  const data = new Map([...pages].flatMap(([page, made]) => made.map((file) => [join(folderOf(root, page), file.name), file] as const)));
  const options = optionsAt(root);
  const program = ts.createProgram([...files.keys()], options, hostOver(options, data));
  return [...files.keys()].flatMap((path) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map((found) => shown(found, files.get(path)));
  });
}

/** Under the root, so that packages resolve as they do for a user of the workspace. */
const folderOf = (root: string, page: string): string => join(root, '.cache', 'docs', page.replace(/\W+/g, '-'));

function optionsAt(root: string): ts.CompilerOptions {
  const path = join(root, 'tsconfig.base.json');
  const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(path, ts.sys.readFile).config, ts.sys, root);
  // What a page leaves unused it leaves to the reader.
  return { ...options, noEmit: true, composite: false, declarationMap: false, sourceMap: false, noUnusedLocals: false, noUnusedParameters: false, moduleDetection: ts.ModuleDetectionKind.Force, typeRoots: [join(root, 'node_modules', '@types')] };
}

function hostOver(options: ts.CompilerOptions, files: ReadonlyMap<string, PageFile>): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const folders = new Set([...files.keys()].map((path) => dirname(path)));
  const { fileExists, readFile, getSourceFile, directoryExists } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path)?.text ?? readFile(path);
  host.directoryExists = (path) => folders.has(path) || (directoryExists?.(path) ?? true);
  host.getSourceFile = (path, language, ...rest) => {
    const file = files.get(path);
    return file ? ts.createSourceFile(path, file.text, language, true) : getSourceFile(path, language, ...rest);
  };
  return host;
}

function shown({ file, start, messageText }: ts.Diagnostic, made: PageFile | undefined): string {
  const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line : 0;
  return `${made?.origin[line] ?? file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
}
