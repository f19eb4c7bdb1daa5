/** Sections: named fields, each with its kind, its default and its description. Everything else about the configuration follows from them. */
import { allValid, invalid, type Invalid, type Kind, type ReadContext, readSecretFile, show } from './kinds.ts';
import { type Located, type LocatedEntry, locate, type Raw, type Source } from './located.ts';
import { findSimilar } from './mistakes.ts';

export interface Field<T> {
  readonly kind: Kind<T>;
  readonly description: string;
  /** As it would be written in the file; undefined: the key must be there. */
  readonly default: Raw | undefined;
  /** A secret may also come from a file, named by the same key with `_file` behind it. */
  readonly isSecret: boolean;
  /** Shown in the sample as a comment. */
  readonly example: Raw | undefined;
  /** Whether the sample writes the section in one line. */
  readonly isInline?: boolean;
  /** Whether a changed value takes effect while the server runs; of a section: with all that is in it. */
  readonly isReloadable?: boolean;
}
export type Fields = Readonly<Record<string, Field<unknown>>>;

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;
/** The value of a section: the file's keys in camelCase. */
export type FieldsValue<F extends Fields> = {
  readonly [K in keyof F & string as CamelCase<K>]: F[K] extends Field<infer T> ? T : never;
};

export interface SectionKind<T> extends Kind<T> {
  readonly fields: Fields;
}
/** Finds what is wrong between the fields of one section. `mistake` names the field at fault. */
export type SectionCheck<F extends Fields> = (
  value: FieldsValue<F>,
  mistake: (field: keyof F & string, message: string) => void,
) => void;

interface FieldOptions {
  readonly example?: Raw;
}
export const field = <T>(kind: Kind<T>, fallback: Raw, description: string, options: FieldOptions = {}): Field<T> => ({
  kind,
  description,
  default: fallback,
  isSecret: false,
  example: options.example,
});
export const requiredField = <T>(kind: Kind<T>, description: string): Field<T> => ({
  kind,
  description,
  default: undefined,
  isSecret: false,
  example: undefined,
});
/** A secret that need not be there. */
export const secretField = <T>(kind: Kind<T>, description: string, options: FieldOptions = {}): Field<T> => ({
  kind,
  description,
  default: null,
  isSecret: true,
  example: options.example,
});
export const section = <F extends Fields>(
  description: string,
  fields: F,
  check?: SectionCheck<F>,
): Field<FieldsValue<F>> => field(object(fields, check), {}, description);

/** A section of few keys that speak for themselves. */
export const inlineSection = <F extends Fields>(description: string, fields: F): Field<FieldsValue<F>> => ({
  ...section(description, fields),
  isInline: true,
});

/** A key, or a whole section, whose changed value takes effect while the server runs. */
export const reloadable = <T>(one: Field<T>): Field<T> => ({ ...one, isReloadable: true });

export function object<F extends Fields>(fields: F, check?: SectionCheck<F>): SectionKind<FieldsValue<F>> {
  return {
    what: `a section with the keys ${Object.keys(fields).join(', ')}`,
    fields,
    read: (node, key, context) => readSection(fields, check, node, key, context),
  };
}

export function isSectionKind(kind: Kind<unknown>): kind is SectionKind<unknown> {
  return 'fields' in kind;
}

/** Where a field's value comes from: the key that was used, and the entry if there is one. */
type Slot = { readonly name: string; readonly entry: LocatedEntry | undefined };

function readSection<F extends Fields>(
  fields: F,
  check: SectionCheck<F> | undefined,
  node: Located,
  key: string,
  context: ReadContext,
): FieldsValue<F> | Invalid {
  // A key with nothing behind it is a section in which everything has its default.
  const entries = node.kind === 'map' ? node.entries : node.kind === 'scalar' && node.value === null ? [] : undefined;
  if (entries === undefined) {
    context.mistake(node.source, key, `must be a section with keys, not ${show(node)}`);
    return invalid;
  }
  const at = (name: string): string => (key === '' ? name : `${key}.${name}`);
  const unknown = entries.filter((entry) => !isKnown(fields, entry.key));
  for (const entry of unknown) context.mistake(entry.source, at(entry.key), unknownKey(entry.key, fields));

  const slots = new Map<string, Slot>();
  const value: Record<string, unknown> = {};
  const reads = Object.entries(fields).map(([name, definition]) => {
    const slot = findSlot(entries, name, definition, at, context);
    slots.set(name, slot);
    const read = readField(definition, slot, at, node.source, context);
    value[camelCase(name)] = read;
    return read;
  });
  if (unknown.length > 0 || allValid(reads) === invalid) return invalid;

  let isValid = true;
  check?.(value as FieldsValue<F>, (name, message) => {
    isValid = false;
    const slot = slots.get(name);
    context.mistake(slot?.entry?.source ?? node.source, at(slot?.name ?? name), message);
  });
  return isValid ? (value as FieldsValue<F>) : invalid;
}

function findSlot(
  entries: readonly LocatedEntry[],
  name: string,
  definition: Field<unknown>,
  at: (name: string) => string,
  context: ReadContext,
): Slot {
  const entry = entries.find((candidate) => candidate.key === name);
  const fileName = `${name}_file`;
  const fileEntry = definition.isSecret ? entries.find((candidate) => candidate.key === fileName) : undefined;
  if (fileEntry === undefined) return { name, entry };
  // An environment variable overrides a file's value, whichever of the two forms either has.
  const isReplaced = entry !== undefined && entry.source.line === undefined && fileEntry.source.line !== undefined;
  const replaces = entry !== undefined && entry.source.line !== undefined && fileEntry.source.line === undefined;
  if (isReplaced) return { name, entry };
  if (entry !== undefined && !replaces)
    context.mistake(fileEntry.source, at(fileName), `${name} and ${fileName} cannot both be given`);
  return { name: fileName, entry: fileEntry };
}

function readField(
  definition: Field<unknown>,
  slot: Slot,
  at: (name: string) => string,
  parent: Source,
  context: ReadContext,
): unknown {
  const { name, entry } = slot;
  if (entry === undefined) {
    if (definition.default !== undefined)
      return definition.kind.read(locate(definition.default, { ...parent, folder: process.cwd() }), at(name), context);
    context.mistake(parent, at(name), 'is missing');
    return invalid;
  }
  if (!definition.isSecret || !name.endsWith('_file')) return definition.kind.read(entry.value, at(name), context);
  if (entry.value.kind === 'scalar' && entry.value.value === null)
    return definition.kind.read(entry.value, at(name), context);
  const content = readSecretFile(entry.value, at(name), context);
  return content === invalid ? invalid : definition.kind.read(content, at(name), context);
}

const isKnown = (fields: Fields, key: string): boolean => knownKeys(fields).includes(key);

function knownKeys(fields: Fields): readonly string[] {
  return Object.entries(fields).flatMap(([name, { isSecret }]) => (isSecret ? [name, `${name}_file`] : [name]));
}

function unknownKey(key: string, fields: Fields): string {
  const similar = findSimilar(key, knownKeys(fields));
  return similar === undefined ? 'there is no such key' : `there is no such key; ${similar} was probably meant`;
}

export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
