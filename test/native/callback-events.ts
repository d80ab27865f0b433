import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A number that was written for TensorBoard, as 32 bits hold it. */
export interface WrittenScalar {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

/** The scalars in the events files of a folder, in the order in which they were written. */
export function writtenScalars(folder: string): readonly WrittenScalar[] {
  const files = readdirSync(folder).filter((name) => name.includes('tfevents'));
  return files.flatMap((name) => recordsOf(readFileSync(join(folder, name))).flatMap(scalarsOf));
}

/** TFRecord: a length of 8 bytes and its checksum, the data and theirs. */
function recordsOf(file: Buffer): readonly Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    records.push(file.subarray(at + 12, at + 12 + length));
    at += length + 16;
  }
  return records;
}

/** Event { int64 step = 2; Summary summary = 5 }, Summary { Value value = 1 }, Value { string tag = 1; float simple_value = 2 }. */
const scalarsOf = (event: Buffer): readonly WrittenScalar[] => {
  const { 2: [step = 0] = [], 5: summaries = [] } = fieldsOf(event);
  const values = summaries.flatMap((summary) => fieldsOf(asBytes(summary))[1] ?? []);
  return values.flatMap((value) => {
    const { 1: [tag] = [], 2: [number] = [] } = fieldsOf(asBytes(value));
    if (number === undefined) return [];
    return [
      { tag: asBytes(tag).toString('utf8'), step: Number(step), value: asBytes(number).readFloatLE(0) },
    ];
  });
};

type Field = number | Buffer;

function asBytes(field: Field | undefined): Buffer {
  if (typeof field === 'object') return field;
  throw new Error('a number where bytes should be');
}

/** The fields of a message in the wire format of protocol buffers, by their numbers. */
function fieldsOf(message: Buffer): Readonly<Record<number, readonly Field[]>> {
  const fields: Record<number, Field[]> = {};
  let at = 0;
  const varint = (): number => {
    for (let [value, factor] = [0, 1]; ; factor *= 128) {
      const byte = message.readUInt8(at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const bytes = (length: number): Buffer => message.subarray(at, (at += length));
  const read: Readonly<Record<number, () => Field>> = {
    0: varint,
    1: () => bytes(8),
    2: () => bytes(varint()),
    5: () => bytes(4),
  };
  while (at < message.length) {
    const key = varint();
    const field = read[key & 7]?.();
    if (field === undefined) throw new Error(`wire type ${key & 7}`);
    (fields[key >> 3] ??= []).push(field);
  }
  return fields;
}
