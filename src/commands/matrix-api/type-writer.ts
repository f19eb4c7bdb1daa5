import { fieldsOf, listOf, textOf, type Definitions, type Fields, type Node, type Place } from './definitions.ts';

/**
 * Writes JSON schemas as TypeScript types. A schema in a file of its own becomes a named type; all others are written where
 * they stand.
 */
export class TypeWriter {
  readonly #definitions: Definitions;
  readonly #names = new Map<string, string>();
  readonly #declarations = new Map<string, string>();

  constructor(definitions: Definitions) {
    this.#definitions = definitions;
  }

  /** Keeps a name for a type that is declared elsewhere in the same file. */
  reserve(name: string): void {
    this.#names.set(`reserved ${name}`, name);
  }

  /** The named types that were needed so far, sorted by name. */
  declarations(): readonly string[] {
    return [...this.#declarations.keys()]
      .sort()
      .map((name) => `export type ${name} = ${this.#declarations.get(name)};`);
  }

  /** The type of a schema that stands in `path`. */
  typeOf(schema: Node, path: string): string {
    const fields = fieldsOf(schema);
    const parts = [this.#referenceOf(fields, path), ...this.#allOf(fields, path), this.#alternativesOf(fields, path)];
    const own = this.#ownType(fields, path);
    const known = [...new Set([...parts, own].filter((part) => part !== undefined))];
    if (known.length === 0) return 'JsonValue';
    // An intersection with plain `object` says nothing more than its other parts.
    const told = known.length > 1 ? known.filter((part) => part !== 'JsonObject') : known;
    return told.length === 1 ? told[0]! : told.map(parenthesised).join(' & ');
  }

  #referenceOf(fields: Fields, path: string): string | undefined {
    const reference = textOf(fields['$ref']);
    return reference === undefined ? undefined : this.#named(reference, path);
  }

  #allOf(fields: Fields, path: string): readonly string[] {
    return listOf(fields['allOf']).map((part) => this.typeOf(part, path));
  }

  #alternativesOf(fields: Fields, path: string): string | undefined {
    const alternatives = [...listOf(fields['oneOf']), ...listOf(fields['anyOf'])];
    return alternatives.length === 0 ? undefined : union(alternatives.map((part) => this.typeOf(part, path)));
  }

  #ownType(fields: Fields, path: string): string | undefined {
    const values = listOf(fields['enum']);
    if (values.length > 0) return union(values.map((value) => JSON.stringify(value)));
    const types = [fields['type']].flat().filter((type) => typeof type === 'string');
    if (types.length > 0) return union(types.map((type) => this.#typeNamed(type, fields, path)));
    return fields['properties'] === undefined ? undefined : this.#objectOf(fields, path);
  }

  #typeNamed(type: string, fields: Fields, path: string): string {
    switch (type) {
      case 'string':
      case 'boolean':
      case 'null':
        return type;
      case 'integer':
      case 'number':
        return 'number';
      case 'array':
        return this.#arrayOf(fields, path);
      case 'object':
        return this.#objectOf(fields, path);
      default:
        throw new Error(`${path} has a type ${type} that JSON schema does not know`);
    }
  }

  #arrayOf({ items }: Fields, path: string): string {
    if (Array.isArray(items)) return `readonly [${items.map((item: Node) => this.typeOf(item, path)).join(', ')}]`;
    return `readonly ${parenthesised(items === undefined ? 'JsonValue' : this.typeOf(items, path))}[]`;
  }

  #objectOf(fields: Fields, path: string): string {
    const required = new Set(listOf(fields['required']));
    const properties = Object.entries(fieldsOf(fields['properties'])).map(([name, schema]) => {
      const mark = required.has(name) ? '' : '?';
      return `readonly ${propertyName(name)}${mark}: ${this.typeOf(schema, path)}`;
    });
    const others = [...Object.values(fieldsOf(fields['patternProperties'])), ...additional(fields)];
    if (properties.length === 0 && others.length === 0) return 'JsonObject';
    if (properties.length === 0)
      return `{ readonly [name: string]: ${union([...others.map((other) => this.typeOf(other, path)), 'undefined'])} }`;
    const object = `{ ${properties.join('; ')} }`;
    return others.length === 0 ? object : `${object} & JsonObject`;
  }

  #named(reference: string, from: string): string {
    const { at, fields } = this.#definitions.resolve(reference, from);
    const key = `${at.path}#${at.pointer}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = this.#freeName(at);
    // The name stands before the type is written, so a schema may refer to itself.
    this.#names.set(key, name);
    this.#declarations.set(name, this.typeOf(fields, at.path));
    return name;
  }

  #freeName(at: Place): string {
    const taken = new Set(this.#names.values());
    const parts = at.path.replace(/\.yaml$/, '').split('/');
    const names = [...parts, ...at.pointer.split('/').slice(-1)].filter((name) => name !== '');
    const least = at.pointer === '' ? 1 : 2;
    const candidates = names
      .map((_name, index) => pascalCase(names.slice(names.length - least - index).join(' ')))
      .slice(0, names.length - least + 1);
    const free = candidates.find((name) => !taken.has(name));
    if (free === undefined) throw new Error(`no name is left for ${at.path}#${at.pointer}`);
    return free;
  }
}

export function pascalCase(text: string): string {
  return text
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

function additional(fields: Fields): readonly Node[] {
  const { additionalProperties } = fields;
  if (additionalProperties === undefined || additionalProperties === false) return [];
  return [additionalProperties === true ? {} : additionalProperties];
}

function propertyName(name: string): string {
  return /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name) ? name : JSON.stringify(name);
}

function union(types: readonly string[]): string {
  return [...new Set(types)].join(' | ');
}

function parenthesised(type: string): string {
  return /[|&]/.test(type) ? `(${type})` : type;
}
