/**
 * Built-ins as they were when the bundle was loaded. The runtime uses these, so that code which replaces `JSON.stringify` or `Promise.prototype.then` in its realm
 * misleads itself and not the protocol with the host.
 */
export const { parse, stringify } = JSON;
export const NativeDate = Date;
export const NativePromise = Promise;

const { bind, call } = Function.prototype;

type Method<A extends unknown[], R> = (...args: A) => R;
/** A method as a function of its receiver. */
const uncurry = bind.bind(call) as <T, A extends unknown[], R>(method: (this: T, ...args: A) => R) => Method<[T, ...A], R>;

export const then = uncurry(Promise.prototype.then) as unknown as (promise: Promise<unknown>, onValue: (value: never) => unknown, onError?: (error: unknown) => unknown) => Promise<unknown>;
export const join = uncurry(Array.prototype.join as (this: readonly string[], separator: string) => string);
export const splice = uncurry(Array.prototype.splice as (this: unknown[], start: number, count: number) => unknown[]);
export const tagOf = uncurry(Object.prototype.toString);

const resolveStatic = Promise.resolve;
const rejectStatic = Promise.reject;
export const resolved = <T>(value: T): Promise<Awaited<T>> => resolveStatic.call(NativePromise, value) as Promise<Awaited<T>>;
export const rejected = (error: unknown): Promise<never> => rejectStatic.call(NativePromise, error) as Promise<never>;
