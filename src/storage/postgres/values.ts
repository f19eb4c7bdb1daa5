/**
 * PostgreSQL's values as SQLite would give them: bigint as number, boolean as 0 or 1. A text there cannot hold U+0000, which
 * a state key may contain, so it and the escape itself (the last code point, which no character will ever have) are escaped.
 */
import pg from 'pg';
import type { BoundValue } from '../query.ts';

export type RowParser = (texts: readonly (string | null)[]) => Record<string, unknown>;

/** As pg calls it for each column of a row. */
export const typeParsers: pg.CustomTypesConfig = { getTypeParser: (oid: number) => parserOf(oid) };

export function parserOf(oid: number): (text: string) => unknown {
  return parsers.get(oid) ?? identity;
}

function identity(text: string): string {
  return text;
}

/** As it goes over the wire: text, or bytes, or null. */
export function wireValue(value: BoundValue): string | Buffer | null {
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'number') return String(value);
  if (value === null || Buffer.isBuffer(value)) return value;
  return arrayLiteral(value as readonly (number | string)[]);
}

export function escapeText(text: string): string {
  return needsEscape.test(text) ? text.replaceAll(escape, `${escape}1`).replaceAll('\0', `${escape}0`) : text;
}

export function unescapeText(text: string): string {
  return text.includes(escape) ? text.replaceAll(`${escape}0`, '\0').replaceAll(`${escape}1`, escape) : text;
}

const escape = '\u{10FFFF}';
const needsEscape = /[\0\u{10FFFF}]/u;

/** https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function arrayLiteral(list: readonly (number | string)[]): string {
  const items = list.map((item) =>
    typeof item === 'number' ? String(item) : `"${escapeText(item).replaceAll(/["\\]/g, String.raw`\$&`)}"`,
  );
  return `{${items.join(',')}}`;
}

/** https://www.postgresql.org/docs/current/datatype-binary.html: two hexadecimal digits for each byte, after \x. */
function parseBytes(text: string): Buffer {
  return Buffer.from(text.slice(2), 'hex');
}

const { builtins } = pg.types;
const parsers = new Map<number, (text: string) => unknown>([
  [builtins.BYTEA, parseBytes],
  [builtins.INT8, Number],
  [builtins.INT4, Number],
  [builtins.INT2, Number],
  [builtins.NUMERIC, Number],
  [builtins.FLOAT8, Number],
  [builtins.BOOL, (text) => (text === 't' ? 1 : 0)],
  [builtins.TEXT, unescapeText],
  [builtins.VARCHAR, unescapeText],
]);
