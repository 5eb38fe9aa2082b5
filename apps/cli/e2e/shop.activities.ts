export async function reserve(item: string): Promise<string> {
  return `hold-${item}`;
}

export async function release(): Promise<void> {}
