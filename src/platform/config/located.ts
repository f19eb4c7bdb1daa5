/** Configuration as it was written, each part with the place where it stands, whatever the source. */

export interface Source {
  /** A file, or an environment variable. */
  readonly name: string;
  /** From 1; only in files. */
  readonly line?: number;
  /** Relative paths start here. */
  readonly folder: string;
}

export type Scalar = null | boolean | number | string;
export type Located =
  | { readonly kind: 'scalar'; readonly source: Source; readonly value: Scalar }
  | { readonly kind: 'list'; readonly source: Source; readonly items: readonly Located[] }
  | { readonly kind: 'map'; readonly source: Source; readonly entries: readonly LocatedEntry[] };
export interface LocatedEntry {
  readonly key: string;
  readonly source: Source;
  readonly value: Located;
}

/** A value as the definitions write their defaults: the file's names, the file's types. */
export type Raw = Scalar | readonly Raw[] | { readonly [key: string]: Raw };

export function locate(raw: Raw, source: Source): Located {
  if (Array.isArray(raw)) return { kind: 'list', source, items: raw.map((item: Raw) => locate(item, source)) };
  if (typeof raw !== 'object' || raw === null) return { kind: 'scalar', source, value: raw as Scalar };
  const entries = Object.entries(raw).map(([key, value]) => ({ key, source, value: locate(value, source) }));
  return { kind: 'map', source, entries };
}

/**
 * `over` on top of `base`: sections are merged key by key, everything else is replaced. Where only `over` is a section, `base` stays,
 * because it is a mistake that must be told; an empty value is an empty section.
 */
export function overlay(base: Located, over: Located): Located {
  if (over.kind !== 'map' || (base.kind === 'scalar' && base.value === null)) return over;
  if (base.kind !== 'map') return base;
  const entries = new Map(base.entries.map((entry) => [entry.key, entry]));
  for (const entry of over.entries) {
    const below = entries.get(entry.key);
    entries.set(entry.key, below === undefined ? entry : { ...entry, value: overlay(below.value, entry.value) });
  }
  return { ...base, entries: [...entries.values()] };
}

export const emptyMap = (source: Source): Located => ({ kind: 'map', source, entries: [] });
