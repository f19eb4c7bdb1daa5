import { stringify } from 'yaml';
import { configFields } from './definition.ts';
import type { Raw } from './located.ts';
import { type Field, type Fields, isSectionKind } from './sections.ts';

const header = `veche's configuration: every key with its default. Made from the definitions in src/platform/config by \
"npm run --silent print-config-sample"; whatever you leave out has the value that stands here. Copy what you want to change.

Every key can also come from the environment, which wins: VECHE_, the key in capitals, sections divided by two underscores. \
database.engine is VECHE_DATABASE__ENGINE. Text is taken as it is, everything else is read as YAML: \
VECHE_FEDERATION__ALLOW_PRIVATE_ADDRESSES='[10.0.0.0/8]'.

Every secret can come from a file: shared_secret_file: PATH in place of shared_secret, \
VECHE_REGISTRATION__SHARED_SECRET_FILE in the environment.

What is marked [reload] takes effect while the server runs: SIGHUP and POST /_veche/admin/v1/reload read the configuration again, \
all or nothing. A change of anything else needs a restart, and until then nothing is reloaded.

Relative paths start at the folder of the file that they stand in; defaults and those of the environment at the working directory.

"npm run check-config -- FILE" names every mistake in a file.`;

/** The text of config.sample.yaml. */
export function configSample(): string {
  return [...comment(header, ''), ...sectionLines(configFields, '')].join('\n') + '\n';
}

function sectionLines(fields: Fields, indent: string): string[] {
  return Object.entries(fields).flatMap(([name, field], index) => {
    const isApart = indent === '' || index > 0;
    const gap = isApart && (indent === '' || isSectionKind(field.kind)) ? [''] : [];
    return [
      ...gap,
      ...comment(`${describe(name, field)}${field.isReloadable === true ? ' [reload]' : ''}`, indent),
      ...valueLines(name, field, indent),
      ...exampleLines(name, field, indent),
    ];
  });
}

function describe(name: string, field: Field<unknown>): string {
  if (isSectionKind(field.kind)) return field.description;
  const item = field.kind.item;
  const hasEntries = item !== undefined && isSectionKind(item);
  const what = hasEntries ? 'A list; each entry has:' : sentence(field.kind.what);
  const file = field.isSecret ? ` Or ${name}_file: PATH.` : '';
  const entries = hasEntries
    ? Object.entries(item.fields).map(([key, inner]) => `  ${key}: ${describe(key, inner)}`)
    : [];
  return [`${field.description} ${what}${file}`, ...entries].join('\n');
}

function valueLines(name: string, field: Field<unknown>, indent: string): string[] {
  if (isSectionKind(field.kind) && field.isInline === true) return written(name, defaultsOf(field.kind.fields), indent);
  if (isSectionKind(field.kind)) return [`${indent}${name}:`, ...sectionLines(field.kind.fields, `${indent}  `)];
  return written(name, field.default ?? null, indent);
}

function exampleLines(name: string, field: Field<unknown>, indent: string): string[] {
  if (field.example === undefined) return [];
  return [`${indent}# For example:`, ...written(name, field.example, `${indent}# `)];
}

/** Short values behind their key; lists of sections with an entry a line. */
function written(name: string, value: Raw, indent: string): string[] {
  if (!Array.isArray(value) || !value.some((item: Raw) => typeof item === 'object' && item !== null))
    return [`${indent}${name}: ${flow(value)}`];
  return [`${indent}${name}:`, ...value.map((item: Raw) => `${indent}  - ${flow(item)}`)];
}

const flow = (value: Raw): string => stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();

function defaultsOf(fields: Fields): Raw {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.default ?? null]));
}

const sentence = (what: string): string => `${what.charAt(0).toUpperCase()}${what.slice(1)}.`;

/** Lines of at most 110 characters, each paragraph for itself. */
function comment(text: string, indent: string): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const inset = /^ */.exec(paragraph)?.[0] ?? '';
    const lines: string[] = [];
    let line = inset;
    for (const word of paragraph.trim().split(' ')) {
      const isFull = line.trim() !== '' && indent.length + line.length + word.length > 110;
      if (isFull) {
        lines.push(line);
        line = `${inset}  `.slice(0, inset === '' ? 0 : undefined);
      }
      line += line.trim() === '' ? word : ` ${word}`;
    }
    lines.push(line);
    return lines.map((content) => `${indent}#${content === '' ? '' : ` ${content}`}`);
  });
}
