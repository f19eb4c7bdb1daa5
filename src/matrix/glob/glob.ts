/**
 * Glob-style matching: `*` stands for any characters, `?` for exactly one, everything else for itself.
 * Matching takes time proportional to value × pattern at worst, so a pattern may come from anybody.
 * https://spec.matrix.org/v1.19/appendices/#glob-style-matching
 */
export interface Glob {
  /** The only text that the pattern matches, where it has no wildcard. */
  readonly literal: string | undefined;
  /** Whether the pattern matches the whole of `value`. */
  matches(value: string): boolean;
  /**
   * Whether the pattern matches a part of `value` that starts and ends at a word boundary: at an end of the value, or beside
   * a character outside [A-Za-z0-9_]. An empty pattern matches only an empty value.
   * https://spec.matrix.org/v1.19/client-server-api/#push-rules
   */
  matchesWords(value: string): boolean;
}

/** Upper and lower case are told apart; whoever wants otherwise gives both in lower case. */
export function compileGlob(pattern: string): Glob {
  const pieces = pattern.split(/\*+/).map(pieceOf);
  const literal = pattern.includes('*') || pattern.includes('?') ? undefined : pattern;
  return {
    literal,
    matches: literal === undefined ? (value) => matchesWhole(pieces, value) : (value) => value === literal,
    matchesWords: (value) => (pattern === '' ? value === '' : matchesWords(pieces, value)),
  };
}

/** Whether `text`, in which nothing is a wildcard, stands in `value` between word boundaries. An empty text never does. */
export function includesWords(value: string, text: string): boolean {
  if (text === '') return false;
  for (let at = value.indexOf(text); at !== -1; at = value.indexOf(text, at + 1))
    if (isBoundary(value, at) && isBoundary(value, at + text.length)) return true;
  return false;
}

/** What stands between two stars. */
interface Piece {
  /** Where the piece that starts at `index` ends, or -1 where it does not match there. */
  endAt(value: string, index: number): number;
  /** Where the piece that ends at `end` starts, or -1. */
  startBefore(value: string, end: number): number;
  /** The first place at or after `from` where the piece may start, or -1. */
  find(value: string, from: number): number;
}

function pieceOf(text: string): Piece {
  return text.includes('?') ? pieceWithGaps(text) : literalPiece(text);
}

function literalPiece(text: string): Piece {
  return {
    endAt: (value, index) => (value.startsWith(text, index) ? index + text.length : -1),
    startBefore: (value, end) => (value.endsWith(text, end) && end >= text.length ? end - text.length : -1),
    find: (value, from) => value.indexOf(text, from),
  };
}

/** A `?` takes one character, which may be two UTF-16 units. */
function pieceWithGaps(text: string): Piece {
  const endAt = (value: string, index: number): number => {
    let at = index;
    for (let i = 0; i < text.length; i++) {
      if (at >= value.length) return -1;
      if (text[i] === '?') at += isPair(value, at) ? 2 : 1;
      else if (text[i] === value[at]) at += 1;
      else return -1;
    }
    return at;
  };
  const startBefore = (value: string, end: number): number => {
    let at = end;
    for (let i = text.length - 1; i >= 0; i--) {
      if (at <= 0) return -1;
      if (text[i] === '?') at -= at >= 2 && isPair(value, at - 2) ? 2 : 1;
      else if (text[i] === value[at - 1]) at -= 1;
      else return -1;
    }
    return at;
  };
  const find = (value: string, from: number): number => {
    for (let at = from; at <= value.length; at++) if (endAt(value, at) !== -1) return at;
    return -1;
  };
  return { endAt, startBefore, find };
}

function isPair(value: string, index: number): boolean {
  const [high, low] = [value.charCodeAt(index), value.charCodeAt(index + 1)];
  return high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000;
}

function matchesWhole(pieces: readonly Piece[], value: string): boolean {
  const last = pieces.length - 1;
  const start = pieces[0]!.endAt(value, 0);
  if (last === 0) return start === value.length;
  if (start === -1) return false;
  const between = afterMiddlePieces(pieces, value, start);
  return between !== -1 && pieces[last]!.startBefore(value, value.length) >= between;
}

function matchesWords(pieces: readonly Piece[], value: string): boolean {
  const [first, last] = [pieces[0]!, pieces.length - 1];
  for (let at = first.find(value, 0); at !== -1; at = at < value.length ? first.find(value, at + 1) : -1) {
    if (!isBoundary(value, at)) continue;
    const end = first.endAt(value, at);
    if (last === 0 ? isBoundary(value, end) : endsAtBoundary(pieces, value, end)) return true;
    // The first place leaves most room for the pieces behind it, so no later one can do better.
    if (last > 0) return false;
  }
  return false;
}

function endsAtBoundary(pieces: readonly Piece[], value: string, start: number): boolean {
  const last = pieces.at(-1)!;
  const from = afterMiddlePieces(pieces, value, start);
  if (from === -1) return false;
  for (let at = last.find(value, from); at !== -1; at = at < value.length ? last.find(value, at + 1) : -1)
    if (isBoundary(value, last.endAt(value, at))) return true;
  return false;
}

/** Each piece but the first and the last at its first place after the one before it; where the last of them ends, or -1. */
function afterMiddlePieces(pieces: readonly Piece[], value: string, start: number): number {
  let at = start;
  for (let i = 1; i < pieces.length - 1; i++) {
    const found = pieces[i]!.find(value, at);
    if (found === -1) return -1;
    at = pieces[i]!.endAt(value, found);
  }
  return at;
}

function isBoundary(value: string, index: number): boolean {
  return index <= 0 || index >= value.length || !isWord(value, index - 1) || !isWord(value, index);
}

function isWord(value: string, index: number): boolean {
  const code = value.charCodeAt(index);
  return (
    (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39) || code === 0x5f
  );
}
