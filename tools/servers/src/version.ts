/** The first version number in a text, as numbers: "etcd Version: 3.4.23" gives [3, 4, 23]. */
export function versionIn(text: string): readonly number[] | undefined {
  return /\d+(\.\d+)+/.exec(text)?.[0].split('.').map(Number);
}

export function isAtLeast(version: readonly number[], least: readonly number[]): boolean {
  for (const [index, wanted] of least.entries()) {
    const had = version[index] ?? 0;
    if (had !== wanted) return had > wanted;
  }
  return true;
}

export const showVersion = (version: readonly number[]): string => version.join('.');
