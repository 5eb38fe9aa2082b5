/** Any value that survives `JSON.parse(JSON.stringify(value))` unchanged. `undefined` is "no value" and is left out of objects. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

export type JsonObject = { readonly [key: string]: Json | undefined };

/** What a key of an event, a wait's `match` or a search attribute may hold. */
export type Scalar = string | number | boolean;
