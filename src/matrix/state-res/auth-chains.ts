/**
 * The auth DAG by the definitions of the specification, in full and without regard to cost. The room engine computes the
 * same sets from what differs only: see full-conflicted-set.ts.
 * https://spec.matrix.org/v1.19/rooms/v12/#definitions
 */

/** The auth events of an event. Ids may be event ids or numbers. */
export type AuthEventsOf<Id> = (id: Id) => readonly Id[];

/**
 * "The auth chain of an event E is the set containing all of E's auth events, all of their auth events, and so on
 * recursively." Of several events: the union. A starting event is in it only if another one reaches it.
 */
export function authChain<Id>(ids: Iterable<Id>, authEventsOf: AuthEventsOf<Id>): Set<Id> {
  const chain = new Set<Id>();
  const toVisit = [...ids];
  for (let id = toVisit.pop(); id !== undefined; id = toVisit.pop()) {
    for (const authEvent of authEventsOf(id)) {
      if (chain.has(authEvent)) continue;
      chain.add(authEvent);
      toVisit.push(authEvent);
    }
  }
  return chain;
}

/**
 * "The full auth chain for each state S_i" — with the events of the state themselves, which the letter of the
 * specification leaves out: docs/decisions/0002-auth-chain-includes-its-own-events.md. This function holds the choice.
 */
export function fullAuthChain<Id>(state: Iterable<Id>, authEventsOf: AuthEventsOf<Id>): Set<Id> {
  const events = [...state];
  const chain = authChain(events, authEventsOf);
  for (const id of events) chain.add(id);
  return chain;
}

/** "If C_i is the full auth chain of S_i, then the auth difference is ∪ C_i − ∩ C_i." */
export function authDifference<Id>(states: readonly Iterable<Id>[], authEventsOf: AuthEventsOf<Id>): Set<Id> {
  const chainsWith = new Map<Id, number>();
  for (const state of states) {
    for (const id of fullAuthChain(state, authEventsOf)) chainsWith.set(id, (chainsWith.get(id) ?? 0) + 1);
  }
  const difference = new Set<Id>();
  for (const [id, count] of chainsWith) if (count < states.length) difference.add(id);
  return difference;
}

/**
 * "The union of all such paths between any pair of events in the conflicted state set (including endpoints)", where a path
 * follows auth_events. Only room version 12 and later ask for it.
 */
export function conflictedStateSubgraph<Id>(
  conflictedStateSet: ReadonlySet<Id>,
  authEventsOf: AuthEventsOf<Id>,
): Set<Id> {
  const reached = authChain(conflictedStateSet, authEventsOf);
  const candidates = new Set([...conflictedStateSet, ...reached]);
  const citedBy = new Map<Id, Id[]>();
  for (const id of candidates) {
    for (const authEvent of authEventsOf(id)) {
      const citing = citedBy.get(authEvent);
      if (citing === undefined) citedBy.set(authEvent, [id]);
      else citing.push(id);
    }
  }
  const reaching = authChain(conflictedStateSet, (id) => citedBy.get(id) ?? []);
  const subgraph = new Set<Id>();
  for (const id of candidates) {
    const isEnd = conflictedStateSet.has(id) && (reached.has(id) || reaching.has(id));
    if (isEnd || (reached.has(id) && reaching.has(id))) subgraph.add(id);
  }
  return subgraph;
}

/**
 * "The full conflicted set is the union of the conflicted state set and the auth difference", in room version 12 also of
 * the conflicted state subgraph.
 */
export function fullConflictedSet<Id>(
  conflictedStateSet: ReadonlySet<Id>,
  states: readonly Iterable<Id>[],
  authEventsOf: AuthEventsOf<Id>,
  rules: { readonly considerConflictedSubgraph: boolean },
): Set<Id> {
  const full = new Set([...conflictedStateSet, ...authDifference(states, authEventsOf)]);
  if (rules.considerConflictedSubgraph) {
    for (const id of conflictedStateSubgraph(conflictedStateSet, authEventsOf)) full.add(id);
  }
  return full;
}
