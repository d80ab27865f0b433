/** Time in seconds from any fixed origin, never going back. Injected, so that tests need not wait. */
export type Clock = () => number;

declare const performance: { now(): number };

/** The monotonic clock of Node and of browsers. */
export const monotonicClock: Clock = () => performance.now() / 1000;
