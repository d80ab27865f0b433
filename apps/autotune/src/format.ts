import wrapAnsi from 'wrap-ansi';

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 54,000 */
export const count = (value: number): string => whole.format(value);

/** 97.3 % */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** 4 significant digits, no exponent for everyday sizes. */
export const figure = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e6)
    ? value.toExponential(2)
    : value.toPrecision(4);

/** 0:07, 12:30, 1:02:03; unknown as a dash. */
export function clockTime(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const total = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** 12.3 s, 480 ms, 7 min 5 s */
export function duration(seconds: number): string {
  if (seconds < 0.9995) return `${(1000 * seconds).toFixed(0)} ms`;
  if (seconds < 119.5) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  return `${Math.floor(total / 60)} min ${total % 60} s`;
}

/** The beginning of a text, cut at a word, of at most so many characters. */
export const shortened = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 2).replace(/\W*\s\S*$/, '')} …`;

/** Text that hangs under its label: further lines are indented as far as the first. */
export function hanging(label: string, text: string): string {
  const width = Math.max(24, (process.stdout.columns ?? 120) - label.length - 1);
  const lines = process.stdout.isTTY ? wrapAnsi(text, width, { trim: true }).split('\n') : [text];
  return lines.map((line, i) => (i === 0 ? label : ' '.repeat(label.length)) + line).join('\n');
}

/** A line of the report: its subject in a column of its own. */
export const row = (subject: string, text: string): string => hanging(subject.padEnd(12), text);
