/** `event_fields` of filters. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridfilter */
import { isJsonObject, type JsonObject } from '../json/json-value.ts';
import { parsePropertyPath } from '../json/property-path.ts';

/** Property names, each with what is wanted below it. */
export type EventFields = ReadonlyMap<string, EventFields | 'all'>;

/** `paths`: dot-separated property paths. A path that leads to a part of what another one names adds nothing to it. */
export function compileEventFields(paths: readonly string[]): EventFields {
  const fields: FieldTree = new Map();
  for (const path of paths) addPath(fields, parsePropertyPath(path));
  return fields;
}

/** The event with nothing but the wanted fields; what it does not have is left out. Paths do not lead into arrays. */
export function selectFields(event: JsonObject, fields: EventFields): JsonObject {
  const selected: [string, JsonObject[string]][] = [];
  for (const [name, below] of fields) {
    const value = Object.hasOwn(event, name) ? event[name] : undefined;
    if (value === undefined) continue;
    if (below === 'all') selected.push([name, value]);
    else if (isJsonObject(value)) {
      const part = selectFields(value, below);
      if (Object.keys(part).length > 0) selected.push([name, part]);
    }
  }
  return Object.fromEntries(selected);
}

type FieldTree = Map<string, FieldTree | 'all'>;

function addPath(fields: FieldTree, path: readonly string[]): void {
  let tree = fields;
  for (const [index, name] of path.entries()) {
    const known = tree.get(name);
    if (known === 'all') return;
    if (index === path.length - 1) tree.set(name, 'all');
    else {
      const below: FieldTree = known ?? new Map();
      tree.set(name, below);
      tree = below;
    }
  }
}
