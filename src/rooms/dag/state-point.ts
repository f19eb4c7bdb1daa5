/** Where a state of a room can be read. */

/**
 * The state that one sees by taking, per key, the newest row with a position of at most `pos` on the line, else the same
 * at the line's parent point.
 */
export interface Point {
  readonly line: number;
  readonly pos: number;
}

/**
 * The position that the unit under way will get. It is known only once the unit is handed in, when everything has been
 * computed; until then this stands for it, and it is greater than all others.
 */
export const NOW = Number.MAX_SAFE_INTEGER;

/** Below every position. */
export const BEFORE_ALL = -1;

export const pointKey = (point: Point): string => `${point.line}:${point.pos}`;

export const samePoint = (a: Point, b: Point): boolean => a.line === b.line && a.pos === b.pos;

/** A state that may not be stored: a stored point and what differs from it. null: the key is absent. */
export interface VirtualState {
  readonly base: Point;
  readonly difference: ReadonlyMap<number, number | null>;
}
