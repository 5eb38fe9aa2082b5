export interface Manifest {
  readonly name?: string;
  readonly main?: string;
  readonly bin?: string | Readonly<Record<string, string>>;
  readonly exports?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly nx?: { readonly tags?: readonly string[] };
}

export interface Package {
  readonly folder: string;
  readonly name: string;
  readonly manifest: Manifest;
  /** The package's own files, by their path from the root. */
  readonly files: ReadonlyMap<string, string>;
}

export interface Workspace {
  /** Every text file that git knows of or would add, by its path from the root. */
  readonly files: ReadonlyMap<string, string>;
  readonly packages: readonly Package[];
}

export interface Finding {
  readonly file: string;
  readonly line?: number;
  readonly why: string;
}

export interface Rule {
  readonly name: string;
  check(workspace: Workspace): readonly Finding[];
}

export const showFinding = ({ file, line, why }: Finding): string => `${file}${line === undefined ? '' : `:${line}`}: ${why}`;

export const isSpec = (path: string): boolean => path.endsWith('.spec.ts');

/** Files that a person wrote as code; recorded data may hold anything. */
export const isCode = (path: string): boolean => /\.(ts|mts|js|mjs|sh)$/.test(path) && !isData(path);

export const isData = (path: string): boolean => /(^|\/)(testdata|fixtures)\//.test(path);

/** A workspace from texts by path: read from disk by the test, written out by a rule's spec. */
export function workspaceOf(texts: Readonly<Record<string, string>>): Workspace {
  const files = new Map(Object.entries(texts));
  const folders = [...files.keys()].filter((path) => /^(apps|libs|tools)\/.*\bpackage\.json$/.test(path) && !isData(path)).map((path) => path.slice(0, -'/package.json'.length));
  return { files, packages: folders.map((folder) => packageAt(folder, folders, files)) };
}

/** A package inside another's folder keeps its files to itself. */
function packageAt(folder: string, folders: readonly string[], all: ReadonlyMap<string, string>): Package {
  const manifest = JSON.parse(all.get(`${folder}/package.json`) ?? '{}') as Manifest;
  const inner = folders.filter((other) => other.startsWith(`${folder}/`));
  const files = new Map([...all].filter(([path]) => path.startsWith(`${folder}/`) && !inner.some((other) => path.startsWith(`${other}/`))));
  return { folder, name: manifest.name ?? folder, manifest, files };
}
