import { invalidParam } from '../matrix/errors.ts';

export type Query = ReadonlyMap<string, readonly string[]>;

const noQuery: Query = new Map();

/** The query of a request target, decoded. Throws M_INVALID_PARAM for malformed escapes. */
export function parseQuery(target: string): Query {
  const start = target.indexOf('?');
  if (start === -1 || start === target.length - 1) return noQuery;
  return parseFormText(target.slice(start + 1), 'The query string');
}

/** application/x-www-form-urlencoded text. Throws M_INVALID_PARAM for malformed escapes; `what` names it in the error. */
export function parseFormText(text: string, what: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decodePart(equals === -1 ? pair : pair.slice(0, equals), what);
    const value = equals === -1 ? '' : decodePart(pair.slice(equals + 1), what);
    const present = values.get(name);
    if (present === undefined) values.set(name, [value]);
    else present.push(value);
  }
  return values;
}

function decodePart(text: string, what: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw invalidParam(`${what} holds a malformed percent escape`);
  }
}
