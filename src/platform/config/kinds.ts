/** What a configuration value can be: how it is read, and how it is called in the sample and in mistakes. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { isServerName } from '../../matrix/ids/server-name.ts';
import type { ServerName } from '../../matrix/ids/ids.ts';
import { parseAddressRange } from '../address-ranges.ts';
import { Secret } from '../secret.ts';
import type { Located, Source } from './located.ts';

export const invalid = Symbol('invalid');
export type Invalid = typeof invalid;

export interface ReadContext {
  mistake(source: Source, key: string, message: string): void;
}
export interface Kind<T> {
  /** "a whole number from 1 to 65535" */
  readonly what: string;
  /** Whether any value is written as text. */
  readonly takesText?: boolean;
  /** Of a list: what its entries are. */
  readonly item?: Kind<unknown>;
  /** Tells `context` of every mistake and then gives `invalid`. */
  read(node: Located, key: string, context: ReadContext): T | Invalid;
}

/** Text that `accept` gives a value for; undefined is a mistake. */
export function text<T = string>(what: string, accept: (value: string, source: Source) => T | undefined): Kind<T> {
  return {
    what,
    takesText: true,
    read(node, key, context) {
      const value =
        node.kind === 'scalar' && typeof node.value === 'string' ? accept(node.value, node.source) : undefined;
      if (value !== undefined) return value;
      const isOtherScalar = node.kind === 'scalar' && node.value !== null && typeof node.value !== 'string';
      const hint = isOtherScalar ? ` (a ${typeof node.value}; as text it needs quotes)` : '';
      context.mistake(node.source, key, `must be ${what}, not ${show(node)}${hint}`);
      return invalid;
    },
  };
}

export function scalar<T>(what: string, accept: (value: boolean | number | string) => T | undefined): Kind<T> {
  return {
    what,
    read(node, key, context) {
      const value = node.kind === 'scalar' && node.value !== null ? accept(node.value) : undefined;
      if (value !== undefined) return value;
      context.mistake(node.source, key, `must be ${what}, not ${show(node)}`);
      return invalid;
    },
  };
}

export const boolean = (): Kind<boolean> =>
  scalar('true or false', (value) => (typeof value === 'boolean' ? value : undefined));

export const integer = (min: number, max: number): Kind<number> =>
  scalar(
    max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`,
    (value) =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max ? value : undefined,
  );

/** May have a fraction. */
export const positiveNumber = (): Kind<number> =>
  scalar('a number above 0', (value) =>
    typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined,
  );

export const oneOf = <const T extends readonly string[]>(...values: T): Kind<T[number]> =>
  text(`one of ${values.join(', ')}`, (value) => values.find((known) => known === value));

export const nonEmpty = (what = 'text'): Kind<string> => text(what, (value) => (value === '' ? undefined : value));

export const serverName = (): Kind<ServerName> =>
  text('a server name, such as example.org', (value) => (isServerName(value) ? value : undefined));

export const address = (): Kind<string> => text('an IP address', (value) => (isIP(value) === 0 ? undefined : value));

export const addressRange = (): Kind<string> =>
  text('an address or a range such as 10.0.0.0/8 or fd00::/8', (value) =>
    parseAddressRange(value) === undefined ? undefined : value,
  );

/** Given without the slash at its end, so that paths can be appended. */
export const httpUrl = (): Kind<string> =>
  text('an http or https URL', (value) => {
    const url = URL.parse(value);
    const isUsable =
      url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '' && url.username === '';
    return isUsable ? value.replace(/\/+$/, '') : undefined;
  });

/** A path of the file system. A relative one starts at the folder of the file that names it, or at the working directory. */
export const path = (): Kind<string> =>
  text('a path', (value, source) => (value === '' || value.includes('\0') ? undefined : resolve(source.folder, value)));

/** A file that the server only reads, so it must be there. */
export const existingFile = (): Kind<string> => ({
  what: 'the path of a file',
  takesText: true,
  read(node, key, context) {
    const file = path().read(node, key, context);
    if (file === invalid) return invalid;
    const reason = whyUnreadable(file);
    if (reason === undefined) return file;
    context.mistake(node.source, key, `the file ${file} cannot be read (${reason})`);
    return invalid;
  },
});

function whyUnreadable(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK);
    return statSync(file).isFile() ? undefined : 'it is not a file';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
  }
}

export const nullable = <T>(kind: Kind<T>): Kind<T | undefined> => ({
  what: `${kind.what}, or null`,
  takesText: kind.takesText === true,
  read: (node, key, context) =>
    node.kind === 'scalar' && node.value === null ? undefined : kind.read(node, key, context),
});

interface ListLimits<T> {
  readonly min?: number;
  /** No two entries may give the same text; undefined is like nothing. */
  readonly unique?: (entry: T) => string | undefined;
}
export const listOf = <T>(item: Kind<T>, limits: ListLimits<T> = {}): Kind<readonly T[]> => ({
  what: `a list; each entry is ${item.what}`,
  item,
  read(node, key, context) {
    if (node.kind !== 'list') {
      context.mistake(node.source, key, `must be a list, not ${show(node)}`);
      return invalid;
    }
    if (node.items.length < (limits.min ?? 0)) {
      context.mistake(node.source, key, `must have at least ${limits.min} entry`);
      return invalid;
    }
    const firsts = new Map<string, number>();
    const reads = node.items.map((entry, index) => {
      const at = `${key}[${index}]`;
      const read = item.read(entry, at, context);
      const text = read === invalid ? undefined : limits.unique?.(read);
      const first = text === undefined ? undefined : firsts.get(text);
      if (text !== undefined && first === undefined) firsts.set(text, index);
      if (first === undefined) return read;
      context.mistake(entry.source, at, `is the same as ${key}[${first}]`);
      return invalid;
    });
    return allValid(reads);
  },
});

/** Keys that the configuration chooses itself. */
export const recordOf = <T>(name: Kind<string>, value: Kind<T>): Kind<Readonly<Record<string, T>>> => ({
  what: `a section; each key is ${name.what}, each value ${value.what}`,
  read(node, key, context) {
    if (node.kind !== 'map') {
      context.mistake(node.source, key, `must be a section with keys, not ${show(node)}`);
      return invalid;
    }
    const pairs = node.entries.map((entry) => {
      const at = `${key}.${entry.key}`;
      const named = name.read({ kind: 'scalar', source: entry.source, value: entry.key }, at, context);
      const read = value.read(entry.value, at, context);
      return named === invalid || read === invalid ? invalid : ([named, read] as const);
    });
    const valid = allValid(pairs);
    return valid === invalid ? invalid : Object.fromEntries(valid);
  },
});

/** `accept` gives a reason when the text will not do. The value is never repeated in a mistake. */
export const secretText = (accept: (value: string) => string | undefined = () => undefined): Kind<Secret> => ({
  what: 'text that stays secret',
  takesText: true,
  read(node, key, context) {
    if (node.kind !== 'scalar' || typeof node.value !== 'string' || node.value === '') {
      context.mistake(node.source, key, 'must be text (in quotes, where it looks like a number)');
      return invalid;
    }
    const reason = accept(node.value);
    if (reason === undefined) return new Secret(node.value);
    context.mistake(node.source, key, reason);
    return invalid;
  },
});

/** The content of a file in place of a secret; one line feed at its end does not count. */
export function readSecretFile(node: Located, key: string, context: ReadContext): Located | Invalid {
  const file = existingFile().read(node, key, context);
  if (file === invalid) return invalid;
  return { kind: 'scalar', source: node.source, value: readFileSync(file, 'utf8').replace(/\r?\n$/, '') };
}

export function allValid<T>(values: readonly (T | Invalid)[]): readonly T[] | Invalid {
  const valid = values.filter((value): value is T => value !== invalid);
  return valid.length === values.length ? valid : invalid;
}

export function show(node: Located): string {
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'map') return 'a section with keys';
  if (node.value === null) return 'empty';
  if (typeof node.value !== 'string') return String(node.value);
  return `the text ${JSON.stringify(node.value.length > 60 ? `${node.value.slice(0, 60)}…` : node.value)}`;
}
