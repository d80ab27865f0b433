import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/**
 * Bytes as a person writes them: `2GB`, `1.5 GiB`, `800000`.
 * @throws InvalidArgumentError otherwise
 */
export function bytes(text: string): number {
  const [, digits = '', unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const value = Math.floor(Number(digits) * (UNITS[unit.toLowerCase()] ?? NaN));
  if (!(value >= 1) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('Give bytes, such as 800000, 500MB, 2GB or 1.5GiB.');
  return value;
}
