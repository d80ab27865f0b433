const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 54,000 */
export const count = (value: number): string => whole.format(value);

/** 1.7 % */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Three significant digits, without trailing zeros. */
export const figure = (value: number): string => String(Number(value.toPrecision(3)));

/** 480 ms, 12.3 s, 7 min 5 s */
export function duration(seconds: number): string {
  if (seconds < 0.9995) return `${(1000 * seconds).toFixed(0)} ms`;
  if (seconds < 119.5) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  return `${Math.floor(total / 60)} min ${total % 60} s`;
}
