/**
 * Where the events of a room's state stand in the bytes of an answer, found without parsing them: a large state is parsed and
 * verified a few events at a time. https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1stateroomid
 */
import { badJson, type MatrixError } from '../../matrix/errors.ts';

/** Pairs of where an event begins and where it ends. */
export interface StateSlices {
  /** Those of the auth chain, then those of the state. */
  readonly offsets: readonly number[];
  readonly count: number;
}

const [quote, comma, colon, backslash] = [0x22, 0x2c, 0x3a, 0x5c];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * What stands between the events is checked, the events themselves are not. Throws M_BAD_JSON: no JSON object, or one without
 * these two lists, or lists of more than `countMax` entries.
 */
export function sliceState(bytes: Buffer, countMax: number): StateSlices {
  const lists = new Map<string, readonly number[]>();
  let at = expect(bytes, skipSpace(bytes, 0), openBrace);
  at = skipSpace(bytes, at);
  if (bytes[at] === closeBrace) at += 1;
  else {
    for (;;) {
      const keyEnd = endOfString(bytes, at);
      const key = bytes.toString('latin1', at + 1, keyEnd - 1);
      at = skipSpace(bytes, expect(bytes, skipSpace(bytes, keyEnd), colon));
      if (key === 'pdus' || key === 'auth_chain') {
        if (lists.has(key)) throw badJson(`${key} comes twice`);
        if (bytes[at] !== openBracket) throw badJson(`${key} is no array`);
        const list = sliceList(bytes, at, countMax);
        lists.set(key, list.offsets);
        at = list.end;
      } else at = endOfValue(bytes, at);
      at = skipSpace(bytes, at);
      if (bytes[at] === closeBrace) break;
      at = skipSpace(bytes, expect(bytes, at, comma));
    }
    at += 1;
  }
  if (skipSpace(bytes, at) !== bytes.length) throw notJson();
  const [chain, state] = [lists.get('auth_chain'), lists.get('pdus')];
  if (chain === undefined || state === undefined) throw badJson('pdus or auth_chain is missing');
  const offsets = chain.concat(state);
  return { offsets, count: offsets.length / 2 };
}

function sliceList(
  bytes: Buffer,
  start: number,
  countMax: number,
): { readonly offsets: readonly number[]; readonly end: number } {
  const offsets: number[] = [];
  let at = skipSpace(bytes, start + 1);
  if (bytes[at] === closeBracket) return { offsets, end: at + 1 };
  for (;;) {
    const end = endOfValue(bytes, at);
    offsets.push(at, end);
    if (offsets.length > 2 * countMax) throw badJson(`there are more than ${countMax} events`);
    at = skipSpace(bytes, end);
    if (bytes[at] === closeBracket) return { offsets, end: at + 1 };
    at = skipSpace(bytes, expect(bytes, at, comma));
  }
}

/** One past the last byte of the value that begins there; of an object or array only the nesting is looked at. */
function endOfValue(bytes: Buffer, start: number): number {
  const first = bytes[start];
  if (first === quote) return endOfString(bytes, start);
  if (first !== openBrace && first !== openBracket) return endOfWord(bytes, start);
  let depth = 0;
  for (let at = start; at < bytes.length;) {
    const byte = bytes[at];
    if (byte === quote) {
      at = endOfString(bytes, at);
      continue;
    }
    at += 1;
    if (byte === openBrace || byte === openBracket) depth += 1;
    else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) return at;
  }
  throw notJson();
}

/** A number, true, false or null. */
function endOfWord(bytes: Buffer, start: number): number {
  let at = start;
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === comma || byte === closeBrace || byte === closeBracket || isSpace(byte)) break;
  }
  if (at === start) throw notJson();
  return at;
}

function endOfString(bytes: Buffer, start: number): number {
  if (bytes[start] !== quote) throw notJson();
  for (let at = bytes.indexOf(quote, start + 1); at !== -1; at = bytes.indexOf(quote, at + 1)) {
    let escapes = 0;
    while (bytes[at - 1 - escapes] === backslash) escapes += 1;
    if (escapes % 2 === 0) return at + 1;
  }
  throw notJson();
}

function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && isSpace(bytes[at]!)) at += 1;
  return at;
}
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

function expect(bytes: Buffer, at: number, byte: number): number {
  if (bytes[at] !== byte) throw notJson();
  return at + 1;
}

const notJson = (): MatrixError => badJson('It is not JSON');
