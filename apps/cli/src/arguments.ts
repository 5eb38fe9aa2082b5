import { existsSync, readFileSync } from 'node:fs';
import { PerdureError, type Scalar } from '@perdure/contract';
import type { Client } from '@perdure/sdk/client';
import { InvalidArgumentError } from 'commander';
import { UsageError } from './usage-error.js';

/** `'{"a":1}'`, `@file.json`, or `-` for standard input. */
export const parseJson = (text: string): unknown => {
  const source = text === '-' ? read(0, 'standard input') : text.startsWith('@') ? read(text.slice(1), text.slice(1)) : text;
  try {
    return JSON.parse(source) as unknown;
  } catch (error) {
    throw new InvalidArgumentError(`not JSON: ${(error as Error).message} (a string needs its own quotes: '"text"')`);
  }
};

const read = (from: number | string, name: string): string => {
  try {
    return readFileSync(from, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError(`${name} cannot be read: ${(error as Error).message}`);
  }
};

/** `key=value`, repeated; numbers and booleans are taken as such. */
export const collectAttributes = (text: string, sofar: Record<string, Scalar> = {}): Record<string, Scalar> => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('write key=value');
  const value = text.slice(at + 1);
  return { ...sofar, [text.slice(0, at)]: value === 'true' ? true : value === 'false' ? false : value !== '' && Number.isFinite(Number(value)) ? Number(value) : value };
};

export const parseCount = (text: string): number => {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 on');
  return Number(text);
};

export const parsePort = (text: string): number => {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('a number from 0 to 65535');
  return Number(text);
};

export const assertFile = (path: string): string => {
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`);
  return path;
};

const HASH_CHARS = 64;

/** A bundle by the beginning of its hash, which is what tables show. */
export const findBundle = async (client: Client, text: string): Promise<string> => {
  if (text.length === HASH_CHARS) return text;
  const found = (await client.bundles()).filter(({ hash }) => hash.startsWith(text));
  if (found.length > 1) throw new UsageError(`${found.length} bundles begin with ${text}: ${found.map(({ hash }) => hash).join(', ')}`);
  // The server takes whole hashes alone, and would say that this is none.
  if (!found[0]) throw new PerdureError('unknown-bundle', `No bundle ${text} is deployed.`);
  return found[0].hash;
};
