import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { parse } from 'yaml';

/** A node of a YAML document; every look-up checks what it finds. */
export type Node = unknown;
export type Fields = Readonly<Record<string, unknown>>;

/** The YAML files of the specification's `data` folder, read on demand, their relative references followed. */
export class Definitions {
  readonly #root: string;
  readonly #documents = new Map<string, Node>();

  /** Throws a sentence when the folder is not that of the specification. */
  constructor(root: string) {
    if (!existsSync(join(root, 'api')) || !existsSync(join(root, 'event-schemas', 'schema')))
      throw new Error(`${root} has no api/ and event-schemas/schema/: give the data folder of matrix-spec`);
    this.#root = root;
  }

  /** Paths of the YAML files directly in `folder`, from the root, sorted. */
  filesIn(folder: string): readonly string[] {
    return readdirSync(join(this.#root, folder), { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.yaml'))
      .map((entry) => posix.join(folder, entry.name))
      .sort();
  }

  document(path: string): Fields {
    let document = this.#documents.get(path);
    if (document === undefined) {
      document = parse(readFileSync(join(this.#root, path), 'utf8'));
      this.#documents.set(path, document);
    }
    return fieldsOf(document);
  }

  /** The text of another file beside the definitions. */
  text(path: string): string {
    return readFileSync(join(this.#root, path), 'utf8');
  }

  /** What a `$ref` in `from` points to. Throws where there is nothing. */
  resolve(reference: string, from: string): { readonly at: Place; readonly fields: Fields } {
    const [file = '', pointer = ''] = reference.split('#');
    const path = file === '' ? from : relative('/', posix.resolve('/', dirname(from), file));
    const names = pointer.split('/').slice(1);
    const target = names.reduce<Node>((node, name) => fieldsOf(node)[name], this.document(path));
    if (target === undefined) throw new Error(`${from} refers to ${reference}, which is not there`);
    return { at: { path, pointer }, fields: fieldsOf(target) };
  }
}

export interface Place {
  readonly path: string;
  /** Within the file; '' is the whole of it. */
  readonly pointer: string;
}

/** The fields of a mapping; none for anything else. */
export function fieldsOf(node: Node): Fields {
  return typeof node === 'object' && node !== null && !Array.isArray(node) ? (node as Fields) : {};
}

export function listOf(node: Node): readonly Node[] {
  return Array.isArray(node) ? node : [];
}

export function textOf(node: Node): string | undefined {
  return typeof node === 'string' ? node : undefined;
}
