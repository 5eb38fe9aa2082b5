import { LIMITS } from '@perdure/contract';
import { deserialize, serialize } from '@ungap/structured-clone';
import { NativeDate, NativePromise, join, stringify, tagOf, then } from './primordials.js';
import { failRun } from './outcome.js';
import { nextRandom, nextUint32, randomUuid } from './random.js';
import { askAlways, mayAsk, realm } from './realm.js';
import { cancelTimer, startTimer } from './sleep.js';

const LOG_CHARS_MAX = 65_536;

const define = (target: object, key: string, value: unknown): void => {
  Object.defineProperty(target, key, { value, writable: true, enumerable: false, configurable: true });
};

/** Whatever differs from one execution to the next is made deterministic, or removed. */
export const installGlobals = (): void => {
  define(globalThis, 'Date', createDate());
  define(Math, 'random', nextRandom);
  define(globalThis, 'crypto', { randomUUID: randomUuid, getRandomValues: fillRandom });
  define(globalThis, 'performance', { now: () => realm.now - (realm.info?.startedAt ?? realm.now), timeOrigin: 0 });
  define(globalThis, 'console', createConsole());
  define(globalThis, 'setTimeout', setDurableTimeout);
  define(globalThis, 'clearTimeout', clearDurableTimeout);
  define(globalThis, 'structuredClone', (value: unknown) => deserialize(serialize(value)));
  define(globalThis, 'queueMicrotask', (task: () => void) => void then(NativePromise.resolve(), () => guard(task, [])));
  // What the garbage collector or another thread decides cannot be replayed.
  for (const name of ['WeakRef', 'FinalizationRegistry', 'SharedArrayBuffer', 'Atomics']) Reflect.deleteProperty(globalThis, name);
};

/** `Date` whose now is the time of the job. */
const createDate = (): DateConstructor => {
  const DeterministicDate = function (this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) return new NativeDate(realm.now).toString();
    return Reflect.construct(NativeDate, args.length === 0 ? [realm.now] : args, new.target);
  } as unknown as DateConstructor;
  Object.defineProperty(DeterministicDate, 'name', { value: 'Date' });
  Object.defineProperty(DeterministicDate, 'length', { value: 7 });
  Object.defineProperty(DeterministicDate, 'prototype', { value: NativeDate.prototype, writable: false });
  define(NativeDate.prototype, 'constructor', DeterministicDate);
  define(DeterministicDate, 'now', () => realm.now);
  define(DeterministicDate, 'parse', NativeDate.parse);
  define(DeterministicDate, 'UTC', NativeDate.UTC);
  return DeterministicDate;
};

const fillRandom = <T extends ArrayBufferView>(array: T): T => {
  if (!ArrayBuffer.isView(array) || /Float|DataView/.test(tagOf(array))) throw new TypeError('getRandomValues() needs an array of integers');
  if (array.byteLength > 65_536) throw new RangeError('getRandomValues() fills at most 65,536 bytes');
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  for (let at = 0; at < bytes.length; at++) bytes[at] = nextUint32() & 0xff;
  return array;
};

const guard = (callback: (...args: unknown[]) => unknown, args: readonly unknown[]): void => {
  try {
    callback(...args);
  } catch (error) {
    failRun(error);
  }
};

/** A durable timer. A cancel request leaves it alone, since it has no promise to reject: `sleep()` is what a cancel wakes. */
const setDurableTimeout = (callback: unknown, delayMs: unknown, ...args: unknown[]): number => {
  if (typeof callback !== 'function') throw new TypeError('setTimeout() needs a function');
  if (!mayAsk('setTimeout()')) return 0;
  const wanted = Math.round(Number(delayMs));
  if (wanted > LIMITS.durationMsMax) throw new RangeError('setTimeout() takes at most ten years');
  let timer = 0;
  void askAlways<void>((seq) => {
    timer = seq;
    startTimer(seq, wanted > 0 ? wanted : 0);
    return { settle: () => guard(callback as () => unknown, args) };
  });
  return timer;
};

const clearDurableTimeout = (timer: unknown): void => {
  if (typeof timer === 'number' && mayAsk('clearTimeout()')) cancelTimer(timer);
};

const createConsole = (): Record<string, (...args: unknown[]) => void> => {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (...args: unknown[]): void => {
    const words: string[] = [];
    for (let at = 0; at < args.length; at++) words[at] = toText(args[at]);
    addLog(level, join(words, ' '));
  };
  return { debug: write('debug'), log: write('info'), info: write('info'), warn: write('warn'), error: write('error'), trace: write('debug') };
};

const addLog = (level: string, text: string): void => {
  if (realm.logChars > LOG_CHARS_MAX) return;
  realm.logChars += text.length + 32;
  const shown = realm.logChars > LOG_CHARS_MAX ? `${text.slice(0, 1_024)}… (more than ${LOG_CHARS_MAX} characters in one activation: the rest is left out)` : text;
  realm.logs[realm.logs.length] = `{"level":"${level}","text":${stringify(shown)}}`;
};

const toText = (value: unknown): string => {
  try {
    if (typeof value === 'string') return value;
    if (value instanceof Error) return `${value.name}: ${value.message}${value.stack === undefined ? '' : `\n${value.stack}`}`;
    if (typeof value === 'object' && value !== null) return stringify(value) ?? String(value);
    return String(value);
  } catch {
    return 'a value that cannot be shown';
  }
};
