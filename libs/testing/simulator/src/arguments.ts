import { parseArgs } from 'node:util';
import { SHAPES, type ShapeName } from './simulate.js';

export const USAGE = 'usage: npm run test:sim -- [--from SEED] [--seeds COUNT] [--shape mesh|embedded] [--tail LINES]';

export interface Arguments {
  readonly from: number;
  readonly count: number;
  readonly shape: ShapeName;
  readonly tail: number;
}

/** Undefined when only help is asked for. @throws Error that says what is wrong with them: seeds that are not run must not pass */
export function readArguments(args: readonly string[]): Arguments | undefined {
  const { values } = parseArgs({ args: [...args], options: { from: { type: 'string', default: '1' }, seeds: { type: 'string', default: '10000' }, shape: { type: 'string', default: 'mesh' }, tail: { type: 'string', default: '60' }, help: { type: 'boolean', default: false } } });
  if (values.help) return undefined;
  const [from, count, tail] = [whole('from', values.from, 0), whole('seeds', values.seeds, 1), whole('tail', values.tail, 0)];
  if (!Number.isSafeInteger(from + count)) throw new Error(`--from ${values.from}: there are no ${count} seeds from there on`);
  const shape = SHAPES.find((each) => each === values.shape);
  if (!shape) throw new Error(`--shape ${values.shape}: there are ${SHAPES.join(', ')}`);
  return { from, count, shape, tail };
}

const whole = (name: string, text: string, min: number): number => {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!Number.isSafeInteger(value) || value < min) throw new Error(`--${name} ${text}: a whole number, ${min} or more`);
  return value;
};
