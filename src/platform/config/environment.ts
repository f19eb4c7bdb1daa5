/**
 * The one rule: VECHE_, then the key's path in capitals, sections divided by two underscores. `database.engine` is
 * VECHE_DATABASE__ENGINE, `registration.shared_secret_file` is VECHE_REGISTRATION__SHARED_SECRET_FILE. Text is taken as it is (`null`
 * unsets what may be null); everything else is read as YAML, lists in one line: VECHE_FEDERATION__ALLOW_PRIVATE_ADDRESSES='[10.0.0.0/8]'.
 */
import { configFields } from './definition.ts';
import { emptyMap, type Located, overlay, type Source } from './located.ts';
import { findSimilar, type Mistake } from './mistakes.ts';
import { type Fields, isSectionKind } from './sections.ts';
import { readYaml } from './yaml-source.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const prefix = 'VECHE_';

export function environmentName(path: readonly string[]): string {
  return prefix + path.map((name) => name.toUpperCase()).join('__');
}

/** What the environment says, in the shape of a configuration file. Empty variables count as not set. */
export function readEnvironment(environment: Environment): {
  readonly value: Located;
  readonly mistakes: readonly Mistake[];
} {
  const known = new Map(variables(configFields, []).map((variable) => [variable.name, variable]));
  const mistakes: Mistake[] = [];
  let value: Located = emptyMap(sourceOf('the environment'));
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(prefix) || text === undefined || text === '') continue;
    const variable = known.get(name);
    if (variable === undefined) {
      const similar = findSimilar(name, [...known.keys()]);
      const hint = similar === undefined ? '' : `; ${similar} was probably meant`;
      mistakes.push({ source: sourceOf(name), key: '', message: `there is no such variable${hint}` });
      continue;
    }
    const read = variable.isText ? textValue(text, name) : yamlValue(text, name);
    mistakes.push(...read.mistakes.map((mistake) => ({ ...mistake, key: variable.path.join('.') })));
    if (read.mistakes.length === 0) value = overlay(value, nest(variable.path, read.value));
  }
  return { value, mistakes };
}

interface Variable {
  readonly name: string;
  readonly path: readonly string[];
  /** Taken as it is, so that "12" stays a text and a password needs no quotes. */
  readonly isText: boolean;
}

function variables(fields: Fields, parent: readonly string[]): Variable[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = [...parent, name];
    if (isSectionKind(field.kind)) return variables(field.kind.fields, path);
    const own = { name: environmentName(path), path, isText: field.kind.takesText === true };
    const filePath = [...parent, `${name}_file`];
    return field.isSecret ? [own, { name: environmentName(filePath), path: filePath, isText: true }] : [own];
  });
}

const sourceOf = (name: string): Source => ({ name, folder: process.cwd() });

function textValue(text: string, name: string): { readonly value: Located; readonly mistakes: readonly Mistake[] } {
  return { value: { kind: 'scalar', source: sourceOf(name), value: text === 'null' ? null : text }, mistakes: [] };
}

function yamlValue(text: string, name: string): { readonly value: Located; readonly mistakes: readonly Mistake[] } {
  return readYaml(text, { name, folder: process.cwd(), hasLines: false });
}

function nest(path: readonly string[], value: Located): Located {
  return path.reduceRight<Located>(
    (inner, key) => ({ kind: 'map', source: value.source, entries: [{ key, source: value.source, value: inner }] }),
    value,
  );
}
