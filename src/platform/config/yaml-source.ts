import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type ParsedNode } from 'yaml';
import { emptyMap, type Located, type LocatedEntry, type Scalar, type Source } from './located.ts';
import type { Mistake } from './mistakes.ts';

const depthMax = 32;
const nodesMax = 20_000;

/**
 * Reads YAML 1.2 text, keeping where everything stands. `folder` is where relative paths start.
 * Faults of the YAML itself are mistakes without a key; then there is no value.
 */
export function readYaml(
  text: string,
  from: { readonly name: string; readonly folder: string; readonly hasLines?: boolean },
): { readonly value: Located; readonly mistakes: readonly Mistake[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const place = { name: from.name, folder: from.folder };
  const sourceAt = (offset: number): Source =>
    from.hasLines === false ? place : { ...place, line: Math.max(1, lines.linePos(offset).line) };
  const faults = [...document.errors, ...document.warnings].map((fault) => ({
    source: sourceAt(fault.pos[0]),
    key: '',
    message: `not valid YAML: ${fault.message}`,
  }));
  if (faults.length > 0) return { value: emptyMap(sourceAt(0)), mistakes: faults };
  if (document.contents === null) return { value: { kind: 'scalar', source: sourceAt(0), value: null }, mistakes: [] };
  const reader = new Reader(document, sourceAt);
  return { value: reader.read(document.contents, '', 0), mistakes: reader.mistakes };
}

class Reader {
  readonly mistakes: Mistake[] = [];
  readonly #document: Document;
  readonly #sourceAt: (offset: number) => Source;
  #nodes = 0;

  constructor(document: Document, sourceAt: (offset: number) => Source) {
    this.#document = document;
    this.#sourceAt = sourceAt;
  }

  read(node: ParsedNode | null, key: string, depth: number): Located {
    const source = this.#sourceAt(node?.range[0] ?? 0);
    this.#nodes += 1;
    if (depth > depthMax || this.#nodes > nodesMax)
      return this.#refuse(source, key, 'is nested too deeply or too long');
    if (isMap<ParsedNode, ParsedNode | null>(node))
      return { kind: 'map', source, entries: this.#entries(node.items, key, depth) };
    if (isSeq<ParsedNode>(node))
      return {
        kind: 'list',
        source,
        items: node.items.map((item, index) => this.read(item, `${key}[${index}]`, depth + 1)),
      };
    if (isAlias(node)) return this.#alias(node.resolve(this.#document), source, key, depth);
    const value: unknown = isScalar(node) ? node.value : null;
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return { kind: 'scalar', source, value };
    return this.#refuse(source, key, 'is of a type that no key has');
  }

  #entries(
    pairs: readonly { readonly key: ParsedNode; readonly value: ParsedNode | null }[],
    key: string,
    depth: number,
  ): readonly LocatedEntry[] {
    const entries = new Map<string, LocatedEntry>();
    for (const pair of pairs) {
      const source = this.#sourceAt(pair.key.range[0]);
      const name: unknown = isScalar(pair.key) ? pair.key.value : undefined;
      if (name === undefined || (typeof name === 'object' && name !== null)) {
        this.#refuse(source, key, 'has a key that is not text');
        continue;
      }
      const text = String(name as Scalar);
      const at = key === '' ? text : `${key}.${text}`;
      const value =
        pair.value === null ? ({ kind: 'scalar', source, value: null } as const) : this.read(pair.value, at, depth + 1);
      const first = entries.get(text);
      if (first === undefined) entries.set(text, { key: text, source, value: { ...value, source } });
      else this.#refuse(source, at, `is given twice; first in line ${first.source.line}`);
    }
    return [...entries.values()];
  }

  /** The place of an alias is where it is used. */
  #alias(target: unknown, source: Source, key: string, depth: number): Located {
    if (!isMap(target) && !isSeq(target) && !isScalar(target)) return this.#refuse(source, key, 'refers to nothing');
    return { ...this.read(target as ParsedNode, key, depth + 1), source };
  }

  #refuse(source: Source, key: string, message: string): Located {
    this.mistakes.push({ source, key, message });
    return { kind: 'scalar', source, value: null };
  }
}
