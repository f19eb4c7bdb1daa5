/** What differs between two configurations, and what of it can take effect while the server runs. */
import { Secret } from '../secret.ts';
import type { Config } from './config.ts';
import { configFields } from './definition.ts';
import { camelCase, type Fields, isSectionKind } from './sections.ts';

export interface ConfigChanges {
  /** Keys whose values differ and can be changed while the server runs, as in the file: "federation.deny.both". */
  readonly reloadable: readonly string[];
  /** Keys whose values differ and count after a restart only. */
  readonly fixed: readonly string[];
}

export function configChanges(before: Config, after: Config): ConfigChanges {
  const changes = { reloadable: [] as string[], fixed: [] as string[] };
  collect(configFields, '', false, before, after, changes);
  return changes;
}

function collect(
  fields: Fields,
  parent: string,
  isReloadable: boolean,
  before: unknown,
  after: unknown,
  changes: { readonly reloadable: string[]; readonly fixed: string[] },
): void {
  for (const [name, field] of Object.entries(fields)) {
    const key = parent === '' ? name : `${parent}.${name}`;
    const [one, other] = [memberOf(before, name), memberOf(after, name)];
    const isFree = isReloadable || field.isReloadable === true;
    if (isSectionKind(field.kind)) collect(field.kind.fields, key, isFree, one, other, changes);
    else if (!isSame(one, other)) changes[isFree ? 'reloadable' : 'fixed'].push(key);
  }
}

const memberOf = (value: unknown, name: string): unknown => (isRecord(value) ? value[camelCase(name)] : undefined);

/** Values of a configuration are plain data and secrets. */
function isSame(one: unknown, other: unknown): boolean {
  if (one instanceof Secret || other instanceof Secret)
    return one instanceof Secret && other instanceof Secret && one.reveal() === other.reveal();
  if (!isRecord(one) || !isRecord(other)) return Object.is(one, other);
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => isSame(one[key], other[key]));
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
