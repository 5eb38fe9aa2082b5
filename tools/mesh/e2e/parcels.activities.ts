export async function pack(id: string): Promise<string> {
  return `box of ${id}`;
}

export async function unpack(): Promise<void> {}

export async function weigh({ index }: { readonly id: string; readonly index: number }): Promise<number> {
  return index + 1;
}
