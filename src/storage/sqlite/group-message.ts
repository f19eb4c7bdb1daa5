/**
 * A group of units on its way to the writer's thread: one transferred buffer instead of a structured clone of thousands of
 * values, which costs twice as much. Little endian; a value is a tag byte and its content.
 */
import type { UnitProgram } from '../engine.ts';
import type { BoundValue } from '../query.ts';

export interface GroupMessage {
  /** Statements that the writer has not seen: [index, SQL]. */
  readonly statements: readonly (readonly [number, string])[];
  readonly program: ArrayBuffer;
}

/** What the writer runs. */
export interface DecodedUnit {
  readonly requires: readonly number[];
  readonly statements: readonly DecodedStatement[];
}
export interface DecodedStatement {
  readonly index: number;
  /** -1: any number of changed rows will do. */
  readonly changes: number;
  readonly values: readonly (number | string | Buffer | null)[];
}

const tag = { null: 0, number: 1, text: 2, blob: 3 } as const;

export function encodeGroup(units: readonly UnitProgram[]): ArrayBuffer {
  const writer = new Packer(units.reduce((sum, unit) => sum + unit.bytes + unit.statements.length * 128, 64));
  writer.uint32(units.length);
  for (const unit of units) {
    writer.uint32(unit.requires.length);
    for (const index of unit.requires) writer.uint32(index);
    writer.uint32(unit.statements.length);
    for (const { statement, values, changes } of unit.statements) {
      writer.uint32(statement.index);
      writer.int32(changes ?? -1);
      writer.uint32(values.length);
      for (const value of values) writer.value(value);
    }
  }
  return writer.finish();
}

export function decodeGroup(program: ArrayBuffer): DecodedUnit[] {
  const reader = new Unpacker(program);
  return times(reader.uint32(), () => ({
    requires: times(reader.uint32(), () => reader.uint32()),
    statements: times(reader.uint32(), () => ({
      index: reader.uint32(),
      changes: reader.int32(),
      values: times(reader.uint32(), () => reader.value()),
    })),
  }));
}

function times<T>(count: number, make: () => T): T[] {
  const made: T[] = [];
  for (let i = 0; i < count; i++) made.push(make());
  return made;
}

class Packer {
  #buffer: Buffer;
  #view: DataView;
  #at = 0;

  constructor(bytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(bytes);
    this.#view = new DataView(this.#buffer.buffer);
  }

  uint32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  int32(value: number): void {
    this.#room(4);
    this.#view.setInt32(this.#at, value, true);
    this.#at += 4;
  }

  value(value: BoundValue): void {
    if (typeof value === 'number') {
      this.#room(9);
      this.#buffer[this.#at] = tag.number;
      this.#view.setFloat64(this.#at + 1, value, true);
      this.#at += 9;
    } else if (typeof value === 'string') {
      this.#room(5 + 3 * value.length);
      this.#sized(tag.text, this.#buffer.write(value, this.#at + 5, 'utf8'));
    } else if (value === null) {
      this.#room(1);
      this.#buffer[this.#at++] = tag.null;
    } else if (Buffer.isBuffer(value)) {
      this.#room(5 + value.length);
      this.#buffer.set(value, this.#at + 5);
      this.#sized(tag.blob, value.length);
    } else throw new TypeError('a list is bound as JSON text on SQLite');
  }

  /** The packed bytes alone in a buffer that can be transferred. */
  finish(): ArrayBuffer {
    const whole = this.#buffer.buffer;
    if (!(whole instanceof ArrayBuffer)) throw new TypeError('a buffer of its own was expected');
    return whole;
  }

  #sized(kind: number, length: number): void {
    this.#buffer[this.#at] = kind;
    this.#view.setUint32(this.#at + 1, length, true);
    this.#at += 5 + length;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * this.#buffer.length + bytes);
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
    this.#view = new DataView(larger.buffer);
  }
}

class Unpacker {
  readonly #buffer: Buffer;
  readonly #view: DataView;
  #at = 0;

  constructor(program: ArrayBuffer) {
    this.#buffer = Buffer.from(program);
    this.#view = new DataView(program);
  }

  uint32(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  int32(): number {
    this.#at += 4;
    return this.#view.getInt32(this.#at - 4, true);
  }

  value(): number | string | Buffer | null {
    const kind = this.#buffer[this.#at++];
    if (kind === tag.null) return null;
    if (kind === tag.number) {
      this.#at += 8;
      return this.#view.getFloat64(this.#at - 8, true);
    }
    const length = this.uint32();
    const from = this.#at;
    this.#at += length;
    return kind === tag.text ? this.#buffer.toString('utf8', from, this.#at) : this.#buffer.subarray(from, this.#at);
  }
}
