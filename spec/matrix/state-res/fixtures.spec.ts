import { expect, it } from 'vitest';
import type { RoomEvent } from '../../../src/matrix/events/room-event.ts';
import type { EventId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { SpecifiedRoomVersionId } from '../../../src/matrix/room-versions/rules.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { authChain, authDifference, conflictedStateSubgraph } from '../../../src/matrix/state-res/auth-chains.ts';
import { separateConflicts, separateConflictsV1 } from '../../../src/matrix/state-res/conflicts.ts';
import { compareByTimeAndId } from '../../../src/matrix/state-res/event-order.ts';
import { smallestTopologicalOrder } from '../../../src/matrix/state-res/power-ordering.ts';
import { sortByDepthAndHash } from '../../../src/matrix/state-res/resolve-v1.ts';
import { stateMapKey, type StateMap } from '../../../src/matrix/state-res/state-map.ts';
import { describeShared, loadFixture } from '../../support/shared.ts';
import { eventFromCase } from '../support/room-events.ts';
import { keyOf, resolveBothWays, stateMapOf, type RoomOfEvents } from './support/resolve-both-ways.ts';

interface Entry {
  readonly type: string;
  readonly state_key: string;
  readonly event_id: string;
}

const mapOf = (entries: readonly Entry[]): StateMap =>
  new Map(entries.map((entry) => [stateMapKey(entry.type, entry.state_key), entry.event_id as EventId]));
const byKey = (state: StateMap): Record<string, string> => Object.fromEntries(state);

function roomOf(pdus: readonly JsonObject[], version: SpecifiedRoomVersionId): RoomOfEvents {
  const events = new Map(pdus.map((json) => eventFromCase(json)).map((event) => [event.eventId, event]));
  const create = [...events.values()].find((event) => event.type === 'm.room.create');
  if (create === undefined) throw new Error('The case has no create event');
  return { events, rejected: new Set(), create, rules: roomVersions[version] };
}

function get(room: RoomOfEvents, id: string): RoomEvent {
  const event = room.events.get(id as EventId);
  if (event === undefined) throw new Error(`The case has no event ${id}`);
  return event;
}

/** The state after each event, resolving where an event has several parents; every state event is applied. */
function walk(room: RoomOfEvents): Map<EventId, StateMap> {
  const after = new Map<EventId, StateMap>();
  const stateAfter = (event: RoomEvent): StateMap => {
    const known = after.get(event.eventId);
    if (known !== undefined) return known;
    const before = event.prevEvents.map((id) => stateAfter(get(room, id)));
    const resolved = before.length > 1 ? resolveBothWays(before, room) : (before[0] ?? new Map());
    const result =
      event.stateKey === undefined ? resolved : new Map([...resolved, [keyOf(event), event.eventId] as const]);
    after.set(event.eventId, result);
    return result;
  };
  for (const event of room.events.values()) stateAfter(event);
  return after;
}

describeShared('ruma: state resolution', () => {
  interface RumaCase {
    readonly name: string;
    readonly room_version: SpecifiedRoomVersionId;
    readonly mode: 'batches' | 'state_maps';
    readonly pdus: readonly string[];
    readonly state_maps?: readonly string[];
    readonly expected: string;
  }
  const load = <File>(path: string): File => loadFixture<File>(`state-resolution/ruma/${path}`);
  const cases = load<RumaCase[]>('cases.json');
  for (const one of cases) {
    const files = one.pdus.map((path) => load<JsonObject[]>(path));
    const room = roomOf(files.flat(), one.room_version);
    const expected = byKey(mapOf(load<Entry[]>(one.expected)));
    if (one.mode === 'state_maps') {
      it(`${one.name}, version ${one.room_version}`, () => {
        const maps = (one.state_maps ?? []).map((path) => stateMapOf(load<string[]>(path).map((id) => get(room, id))));
        expect(byKey(resolveBothWays(maps, room))).toEqual(expected);
      });
      continue;
    }
    it(`${one.name}, version ${one.room_version}: along the DAG`, () => {
      const parents = new Set([...room.events.values()].flatMap((event) => event.prevEvents));
      const leaves = [...walk(room)].filter(([id]) => !parents.has(id)).map(([, state]) => state);
      expect(byKey(resolveBothWays(leaves, room))).toEqual(expected);
    });
    it(`${one.name}, version ${one.room_version}: file by file`, () => {
      let state: StateMap = new Map();
      for (const file of files) {
        const alone = file
          .filter((json) => json['state_key'] !== undefined)
          .map((json) => stateMapOf([get(room, json['event_id'] as string)]));
        state = resolveBothWays(state.size === 0 ? alone : [state, ...alone], room);
      }
      expect(byKey(state)).toEqual(expected);
    });
    it(`${one.name}, version ${one.room_version}: every event as a state of its own`, () => {
      const alone = [...room.events.values()].filter((event) => event.stateKey !== undefined);
      expect(
        byKey(
          resolveBothWays(
            alone.map((event) => stateMapOf([event])),
            room,
          ),
        ),
      ).toEqual(expected);
    });
  }
  it('has all its cases', () => expect(cases.length).toBe(13));
});

describeShared('synapse: state resolution v2', () => {
  interface SynapseCase {
    readonly name: string;
    readonly room_version: SpecifiedRoomVersionId;
    readonly events: readonly JsonObject[];
    readonly start_event_id?: string;
    readonly end_event_id?: string;
    readonly expected_state_after_end?: readonly Entry[];
    readonly resolutions: readonly { readonly state_sets: readonly Entry[][]; readonly result: readonly Entry[] }[];
  }
  const { cases } = loadFixture<{ cases: SynapseCase[] }>('state-resolution/synapse-v2.json');
  for (const one of cases) {
    const room = roomOf(one.events, one.room_version);
    it(`${one.name}: each resolution`, () => {
      for (const { state_sets: sets, result } of one.resolutions) {
        expect(byKey(resolveBothWays(sets.map(mapOf), room))).toEqual(byKey(mapOf(result)));
      }
    });
    const { start_event_id: start, end_event_id: end, expected_state_after_end: changed } = one;
    if (start === undefined || end === undefined || changed === undefined) continue;
    it(`${one.name}: along the DAG`, () => {
      const after = walk(room);
      const expected = new Map([...(after.get(start as EventId) ?? []), ...mapOf(changed)]);
      expect(byKey(after.get(end as EventId) ?? new Map())).toEqual(byKey(expected));
    });
  }
  it('has all its cases', () => expect(cases.length).toBe(8));
});

describeShared('gomatrixserverlib: parts of state resolution', () => {
  const v1 = loadFixture<{
    sort: { input: { event_id: EventId; depth: number }[]; sorted: string[] };
    cases: {
      name: string;
      room_version: SpecifiedRoomVersionId;
      conflicted: JsonObject[];
      auth_events: JsonObject[];
      expected_event_id: string;
    }[];
  }>('state-resolution/gomatrixserverlib-v1.json');
  it('v1 orders by depth and hash', () => {
    const input = v1.sort.input.map(({ event_id: eventId, depth }) => ({ eventId, depth }));
    expect(sortByDepthAndHash(input.toReversed()).map(({ eventId }) => eventId)).toEqual(v1.sort.sorted);
  });
  for (const one of v1.cases) {
    it(one.name, () => {
      const room = roomOf([...one.auth_events, ...one.conflicted], one.room_version);
      const common = one.auth_events.map((json) => get(room, json['event_id'] as string));
      const maps = one.conflicted.map((json) => stateMapOf([...common, get(room, json['event_id'] as string)]));
      const resolved = resolveBothWays(maps, room);
      expect(resolved.get(stateMapKey('m.room.power_levels', ''))).toBe(one.expected_event_id);
    });
  }

  interface SplitCase {
    readonly name: string;
    readonly algorithm: 'v1' | 'v2';
    readonly state_sets: readonly Entry[][];
    readonly unconflicted: readonly string[];
    readonly conflicted: readonly string[];
  }
  for (const one of loadFixture<{ cases: SplitCase[] }>('state-resolution/split-conflicted.json').cases) {
    it(`${one.algorithm}: ${one.name}`, () => {
      const split = (one.algorithm === 'v1' ? separateConflictsV1 : separateConflicts)(one.state_sets.map(mapOf));
      expect(new Set(split.unconflicted.values())).toEqual(new Set(one.unconflicted));
      expect(new Set([...split.conflicted.values()].flatMap((ids) => [...ids]))).toEqual(new Set(one.conflicted));
    });
  }

  interface ChainCase {
    readonly name: string;
    readonly start: readonly string[];
    readonly auth_chain: readonly string[];
    readonly conflicted?: readonly string[];
    readonly conflicted_subgraph?: readonly string[];
  }
  const chains = loadFixture<{ auth_graph: Record<string, string[]>; cases: ChainCase[] }>(
    'state-resolution/auth-chain-and-subgraph.json',
  );
  for (const one of chains.cases) {
    it(one.name, () => {
      const authEventsOf = (id: string): string[] => chains.auth_graph[id] ?? [];
      expect(authChain(one.start, authEventsOf)).toEqual(new Set(one.auth_chain));
      if (one.conflicted === undefined) return;
      expect(conflictedStateSubgraph(new Set(one.conflicted), authEventsOf)).toEqual(new Set(one.conflicted_subgraph));
    });
  }
});

describeShared('gomatrixserverlib and synapse: orderings', () => {
  type OrderingCase =
    | {
        kind: 'tie-break';
        name: string;
        input: { event_id: EventId; power_level: number; origin_server_ts: number }[];
        sorted: string[];
      }
    | { kind: 'topological'; name: string; graph: Record<string, string[]>; sorted: string[] }
    | {
        kind: 'auth-difference';
        name: string;
        auth: Record<string, string[]>;
        state_sets: string[][];
        difference: string[];
      };
  for (const one of loadFixture<{ cases: OrderingCase[] }>('state-resolution/ordering.json').cases) {
    it(one.name, () => {
      if (one.kind === 'auth-difference') {
        expect(authDifference(one.state_sets, (id) => one.auth[id] ?? [])).toEqual(new Set(one.difference));
      } else if (one.kind === 'topological') {
        const order = smallestTopologicalOrder(
          Object.keys(one.graph),
          (id) => one.graph[id] ?? [],
          (x, y) => x < y,
        );
        expect(order).toEqual(one.sorted);
      } else {
        const order = smallestTopologicalOrder(
          one.input.toReversed(),
          () => [],
          (x, y) => {
            if (x.power_level !== y.power_level) return x.power_level > y.power_level;
            const [one, other] = [x, y].map((event) => ({
              eventId: event.event_id,
              originServerTs: event.origin_server_ts,
            }));
            return one !== undefined && other !== undefined && compareByTimeAndId(one, other) < 0;
          },
        );
        expect(order.map((event) => event.event_id)).toEqual(one.sorted);
      }
    });
  }
});
