import ts from 'typescript';

const parsed = new Map<string, ts.SourceFile>();

/** The syntax tree of a file, parsed once however many rules ask. */
export function parse(path: string, text: string): ts.SourceFile {
  const key = `${path}\0${text}`;
  const known = parsed.get(key);
  if (known) return known;
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2024, true);
  parsed.set(key, source);
  return source;
}

export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

export const lineOf = (source: ts.SourceFile, node: ts.Node): number => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;

/** Each string a file writes down, without its comments: imports, worker entries, file names. */
export function stringsOf(path: string, text: string): string[] {
  const strings: string[] = [];
  walk(parse(path, text), (node) => {
    if (ts.isStringLiteralLike(node)) strings.push(node.text);
  });
  return strings;
}

/** The modules a file imports, exports from or names as a type. */
export function importsOf(path: string, text: string): string[] {
  const modules: string[] = [];
  walk(parse(path, text), (node) => {
    const specifier = specifierOf(node);
    if (specifier && ts.isStringLiteralLike(specifier)) modules.push(specifier.text);
  });
  return modules;
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return node.argument.literal;
  if (ts.isCallExpression(node) && isResolving(node.expression)) return node.arguments[0];
  return undefined;
}

const isResolving = (callee: ts.Expression): boolean => callee.kind === ts.SyntaxKind.ImportKeyword || /^(require|(require|import\.meta|createRequire\(.*\))\.resolve)$/s.test(callee.getText());
