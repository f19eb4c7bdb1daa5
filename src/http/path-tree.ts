import { invalidParam } from '../matrix/errors.ts';

/**
 * Finds by path and method, segment by segment, in time that does not grow with the number of paths. Paths are templates
 * such as /_matrix/client/v3/rooms/{roomId}/join; literal segments win over parameters.
 * It matches as the express routes do: parameters are never empty and one trailing slash is allowed.
 */
export class PathTree<T> {
  readonly #root = newNode<T>();

  /** Throws Error when the same method and path are there already. */
  add(method: string, template: string, value: T): void {
    let node = this.#root;
    for (const segment of segmentsOf(template)) {
      if (segment.startsWith('{')) {
        node.parameter ??= newNode();
        node = node.parameter;
      } else {
        let next = node.literals.get(segment);
        if (next === undefined) node.literals.set(segment, (next = newNode()));
        node = next;
      }
    }
    if (node.methods.has(method)) throw new Error(`Two endpoints answer ${method} ${template}`);
    node.methods.set(method, value);
  }

  /** `parameters` in the order of the template, decoded. Throws M_INVALID_PARAM for malformed escapes in them. */
  find(method: string, path: string): { readonly value: T; readonly parameters: readonly string[] } | undefined {
    const segments = segmentsOf(path);
    const encoded: string[] = [];
    const value = findValue(this.#root, method, segments, 0, encoded);
    return value === undefined ? undefined : { value, parameters: encoded.map(decodeSegment) };
  }

  /** All methods that some template matching this path has. */
  methodsAt(path: string): string[] {
    const methods = new Set<string>();
    collectMethods(this.#root, segmentsOf(path), 0, methods);
    return [...methods].sort();
  }
}

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  parameter: Node<T> | undefined;
  readonly methods: Map<string, T>;
}
const newNode = <T>(): Node<T> => ({ literals: new Map(), parameter: undefined, methods: new Map() });

function segmentsOf(path: string): string[] {
  const segments = path.split('/');
  segments.shift();
  if (segments.length > 1 && segments.at(-1) === '') segments.pop();
  return segments;
}

function findValue<T>(
  node: Node<T>,
  method: string,
  segments: readonly string[],
  depth: number,
  encoded: string[],
): T | undefined {
  const segment = segments[depth];
  if (segment === undefined) return node.methods.get(method);
  const literal = node.literals.get(segment);
  if (literal !== undefined) {
    const value = findValue(literal, method, segments, depth + 1, encoded);
    if (value !== undefined) return value;
  }
  if (node.parameter === undefined || segment === '') return undefined;
  encoded.push(segment);
  const value = findValue(node.parameter, method, segments, depth + 1, encoded);
  if (value === undefined) encoded.pop();
  return value;
}

function collectMethods<T>(node: Node<T>, segments: readonly string[], depth: number, into: Set<string>): void {
  const segment = segments[depth];
  if (segment === undefined) {
    for (const method of node.methods.keys()) into.add(method);
    return;
  }
  const literal = node.literals.get(segment);
  if (literal !== undefined) collectMethods(literal, segments, depth + 1, into);
  if (node.parameter !== undefined && segment !== '') collectMethods(node.parameter, segments, depth + 1, into);
}

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw malformedPath();
  }
}

export const malformedPath = (): Error => invalidParam('The path holds a malformed percent escape');
