/** What the attacked server inherits, beside what it is told. */
export const inherited: Readonly<Record<string, string | undefined>> = process.env;
