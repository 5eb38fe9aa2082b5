/** Keys join ids by U+0000, which no text column takes: written `\0`, and `\` as `\\`. */
export const toKeyText = (key: string): string => key.replaceAll('\\', '\\\\').replaceAll('\u0000', '\\0');

export const fromKeyText = (text: string): string => text.replaceAll(/\\([\\0])/g, (_, escaped: string) => (escaped === '0' ? '\u0000' : '\\'));
