/**
 * Which state a client wants of a room: what it includes, less what it excludes, and the members that the timeline needs.
 * https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md#requiredstaterequest
 */
import type { StateKey } from '../../storage/names.ts';

/** What is absent matches everything. */
export interface StatePattern {
  readonly type?: string | undefined;
  readonly stateKey?: string | undefined;
}

/** What one room config asks for. */
export interface StateClause {
  readonly include: readonly StatePattern[];
  readonly exclude: readonly StatePattern[];
  readonly lazyMembers: boolean;
}

const member = 'm.room.member';

const pair = ({ type, stateKey }: StatePattern): readonly [string | null, string | null] => [
  type ?? null,
  stateKey ?? null,
];

/** Of one room config, or of several together: what any of them asks for. */
export class RequiredState {
  /** Equal for those that ask for the same in the same words. */
  readonly key: string;
  readonly clauses: readonly StateClause[];
  /** The members that go with the timeline are wanted, and not all of them. */
  readonly lazyMembers: boolean;
  readonly allMembers: boolean;
  /** Keys that can be looked up by themselves. */
  readonly exact: readonly StateKey[];
  /** Whether there may be further keys, members aside, that only the room itself knows. */
  readonly hasWildcards: boolean;

  constructor(clauses: readonly StateClause[]) {
    this.clauses = clauses;
    this.key = JSON.stringify(
      clauses.map(({ include, exclude, lazyMembers }) => [include.map(pair), exclude.map(pair), lazyMembers ? 1 : 0]),
    );
    this.allMembers = clauses.some(asksForAllMembers);
    this.lazyMembers = !this.allMembers && clauses.some(({ lazyMembers }) => lazyMembers);
    this.exact = exactKeys(clauses);
    this.hasWildcards = clauses.some(({ include }) =>
      include.some(({ type, stateKey }) => type !== member && (type === undefined || stateKey === undefined)),
    );
  }

  /** As it was written by `key`. */
  static parse(key: string): RequiredState {
    const patterns = (pairs: readonly (readonly (string | null)[])[]): StatePattern[] =>
      pairs.map(([type, stateKey]) => ({ type: type ?? undefined, stateKey: stateKey ?? undefined }));
    return new RequiredState(
      (JSON.parse(key) as [(string | null)[][], (string | null)[][], number][]).map(([include, exclude, lazy]) => ({
        include: patterns(include),
        exclude: patterns(exclude),
        lazyMembers: lazy === 1,
      })),
    );
  }

  /** Members that are only wanted with the timeline do not count. */
  matches(type: string, stateKey: string): boolean {
    return this.clauses.some((clause) => clauseMatches(clause, type, stateKey));
  }
}

export const nothingRequired = new RequiredState([]);

/** Both together. */
export function unionOf(states: readonly RequiredState[]): RequiredState {
  const [first] = states;
  if (first === undefined) return nothingRequired;
  if (states.every((state) => state === first || state.key === first.key)) return first;
  const clauses = new Map(
    states.flatMap((state) => state.clauses).map((clause) => [new RequiredState([clause]).key, clause]),
  );
  return new RequiredState([...clauses.values()]);
}

function clauseMatches({ include, exclude, lazyMembers }: StateClause, type: string, stateKey: string): boolean {
  const isLazyMember = lazyMembers && type === member;
  const isIncluded = include.some(
    (pattern) => (!isLazyMember || pattern.stateKey !== undefined) && patternMatches(pattern, type, stateKey),
  );
  return isIncluded && !exclude.some((pattern) => patternMatches(pattern, type, stateKey));
}

function patternMatches(pattern: StatePattern, type: string, stateKey: string): boolean {
  return (
    (pattern.type === undefined || pattern.type === type) &&
    (pattern.stateKey === undefined || pattern.stateKey === stateKey)
  );
}

function asksForAllMembers({ include, lazyMembers }: StateClause): boolean {
  if (lazyMembers) return false;
  return include.some(({ type, stateKey }) => stateKey === undefined && (type === undefined || type === member));
}

function exactKeys(clauses: readonly StateClause[]): StateKey[] {
  const keys = new Map<string, StateKey>();
  for (const clause of clauses)
    for (const { type, stateKey } of clause.include) {
      if (stateKey === undefined) continue;
      // Whoever wants a key of all types wants the membership of that name, too.
      const key = { type: type ?? member, key: stateKey };
      if (clauseMatches(clause, key.type, key.key)) keys.set(JSON.stringify(key), key);
    }
  return [...keys.values()];
}
