/** A value now, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** What survives `JSON.parse(JSON.stringify(x))` unchanged: no `undefined`, no `NaN`, no `Infinity`. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
