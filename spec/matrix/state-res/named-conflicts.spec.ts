/** Conflicts with a story, where the outcome is known from the specification's text. */
import { describe, expect, it } from 'vitest';
import type { RoomEvent } from '../../../src/matrix/events/room-event.ts';
import type { EventId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { SpecifiedRoomVersionId } from '../../../src/matrix/room-versions/rules.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { reverseTopologicalPowerOrdering } from '../../../src/matrix/state-res/power-ordering.ts';
import { sortByDepthAndHash } from '../../../src/matrix/state-res/resolve-v1.ts';
import { stateMapKey } from '../../../src/matrix/state-res/state-map.ts';
import { eventFromCase } from '../support/room-events.ts';
import { resolveBothWays, stateMapOf, type RoomOfEvents } from './support/resolve-both-ways.ts';

const alice = '@alice:one';
const bob = '@bob:two';
const carol = '@carol:three';

/** Events by name, each citing what it is told to; the create event is added where the version wants it. */
class Story {
  readonly room: RoomOfEvents;
  readonly #events = new Map<EventId, RoomEvent>();
  readonly #rejected = new Set<EventId>();
  #time = 0;

  constructor(version: SpecifiedRoomVersionId, createContent: JsonObject = {}) {
    const rules = roomVersions[version];
    const create = eventFromCase({
      type: 'm.room.create',
      state_key: '',
      sender: alice,
      event_id: '$create:one',
      ...(rules.eventFormat.createWithoutRoomId ? {} : { room_id: '!room:one' }),
      content: { ...(rules.eventAuth.creatorFrom === 'content' ? { creator: alice } : {}), ...createContent },
    });
    this.#events.set(create.eventId, create);
    this.room = { events: this.#events, rejected: this.#rejected, create, rules };
  }

  tell(
    name: string,
    type: string,
    stateKey: string,
    sender: string,
    content: JsonObject,
    cites: readonly RoomEvent[],
    fields: JsonObject = {},
  ): RoomEvent {
    const { create, rules } = this.room;
    const event = eventFromCase({
      type,
      state_key: stateKey,
      sender,
      content,
      event_id: `$${name}:one`,
      room_id: create.roomId,
      depth: this.#events.size,
      origin_server_ts: (this.#time += 1),
      prev_events: this.#events.size === 1 ? [create.eventId] : ['$a', '$b'],
      auth_events: [...(rules.eventFormat.createInAuthEvents ? [create] : []), ...cites].map(({ eventId }) => eventId),
      ...fields,
    });
    this.#events.set(event.eventId, event);
    return event;
  }

  reject(event: RoomEvent): void {
    this.#rejected.add(event.eventId);
  }

  /** The names of the resolved events, by key. */
  resolve(...states: readonly (readonly RoomEvent[])[]): (type: string, stateKey?: string) => string | undefined {
    const resolved = resolveBothWays(
      states.map((events) => stateMapOf([this.room.create, ...events])),
      this.room,
    );
    return (type, stateKey = '') => resolved.get(stateMapKey(type, stateKey))?.replace(/^\$|:one$/g, '');
  }
}

/** Alice made the room; Bob (50) and Carol are in it. */
function begin(version: SpecifiedRoomVersionId, createContent: JsonObject = {}) {
  const story = new Story(version, createContent);
  const users = story.room.rules.eventAuth.privilegedCreators ? { [bob]: 50 } : { [alice]: 100, [bob]: 50 };
  const join = story.tell('alice joins', 'm.room.member', alice, alice, { membership: 'join' }, []);
  const power = story.tell('levels', 'm.room.power_levels', '', alice, { users }, [join]);
  const rules = story.tell('public', 'm.room.join_rules', '', alice, { join_rule: 'public' }, [join, power]);
  const bobJoins = story.tell('bob joins', 'm.room.member', bob, bob, { membership: 'join' }, [power, rules]);
  const carolJoins = story.tell('carol joins', 'm.room.member', carol, carol, { membership: 'join' }, [power, rules]);
  return { story, users, join, power, rules, bobJoins, carolJoins, all: [join, power, rules, bobJoins, carolJoins] };
}

for (const version of ['2', '11', '12'] as const) {
  describe(`conflicts in room version ${version}`, () => {
    it('a ban and what the banned user did meanwhile: the ban stands, the rest does not', () => {
      const { story, power, join, bobJoins, all } = begin(version);
      const topic = story.tell('topic', 'm.room.topic', '', bob, {}, [power, bobJoins]);
      const ban = story.tell('ban', 'm.room.member', bob, alice, { membership: 'ban' }, [power, join, bobJoins]);
      const state = story.resolve([...all, topic], [...all, ban]);
      expect(state('m.room.member', bob)).toBe('ban');
      expect(state('m.room.topic')).toBeUndefined();
    });

    it('two who ban each other: the one with the greater power level acts first', () => {
      const { story, power, join, bobJoins, all } = begin(version);
      const byBob = story.tell('carol is banned', 'm.room.member', carol, bob, { membership: 'ban' }, [
        power,
        bobJoins,
      ]);
      const byAlice = story.tell('bob is banned', 'm.room.member', bob, alice, { membership: 'ban' }, [
        power,
        join,
        bobJoins,
      ]);
      const state = story.resolve([...all, byBob], [...all, byAlice]);
      expect(state('m.room.member', bob)).toBe('bob is banned');
      expect(state('m.room.member', carol)).toBe('carol joins');
    });

    it('two topics at one time: the greater event id comes last', () => {
      const { story, power, bobJoins, all } = begin(version);
      const at = { origin_server_ts: 50 };
      const one = story.tell('topic-a', 'm.room.topic', '', bob, {}, [power, bobJoins], at);
      const other = story.tell('topic-b', 'm.room.topic', '', bob, {}, [power, bobJoins], at);
      expect(story.resolve([...all, one], [...all, other])('m.room.topic')).toBe('topic-b');
    });

    it('a topic that cites older power levels loses against one that cites newer ones, whatever the clocks say', () => {
      const { story, users, power, join, bobJoins, all } = begin(version);
      const newer = story.tell('newer levels', 'm.room.power_levels', '', alice, { users, ban: 60 }, [power, join]);
      const late = story.tell('late', 'm.room.topic', '', bob, {}, [power, bobJoins], { origin_server_ts: 999 });
      const early = story.tell('early', 'm.room.topic', '', bob, {}, [newer, bobJoins], { origin_server_ts: 1 });
      const rest = all.filter((event) => event !== power);
      expect(story.resolve([...rest, power, late], [...rest, newer, early])('m.room.topic')).toBe('early');
    });

    it('an auth event that was rejected is not consulted', () => {
      const outcome = (isRejected: boolean): string | undefined => {
        const { story, users, power, join, bobJoins, rules, carolJoins } = begin(version);
        const raised = story.tell('raised', 'm.room.power_levels', '', alice, { users: { ...users, [carol]: 50 } }, [
          power,
          join,
        ]);
        const topic = story.tell('topic', 'm.room.topic', '', carol, {}, [raised, carolJoins]);
        if (isRejected) story.reject(raised);
        // Both states reach the raised levels through the name, so they are no difference; neither state has them.
        const name = story.tell('name', 'm.room.name', '', alice, {}, [raised, join]);
        const rest = [join, rules, bobJoins, carolJoins, name];
        return story.resolve([...rest, topic], rest)('m.room.topic');
      };
      expect(outcome(false)).toBe('topic');
      expect(outcome(true)).toBeUndefined();
    });

    it('what only the auth difference knows can come into the state', () => {
      const { story, power, join, rules, bobJoins, carolJoins } = begin(version);
      const topic = story.tell('topic', 'm.room.topic', '', bob, {}, [power, bobJoins]);
      const state = story.resolve([join, rules, carolJoins, topic], [join, rules, carolJoins]);
      expect(state('m.room.member', bob)).toBe('bob joins');
      expect(state('m.room.topic')).toBe('topic');
    });
  });
}

describe('room version 12: creators in state resolution', () => {
  it('act before everybody else, the additional ones too', () => {
    const { story, power, join, bobJoins, carolJoins } = begin('12', { additional_creators: [carol] });
    const byBob = story.tell('by bob', 'm.room.join_rules', '', bob, {}, [power, bobJoins], { origin_server_ts: 1 });
    const byAlice = story.tell('by alice', 'm.room.join_rules', '', alice, {}, [power, join], { origin_server_ts: 3 });
    const byCarol = story.tell('by carol', 'm.room.join_rules', '', carol, {}, [power, carolJoins], {
      origin_server_ts: 2,
    });
    const { events, rules, create } = story.room;
    const order = reverseTopologicalPowerOrdering([byBob, byAlice, byCarol], (id) => events.get(id), rules, create);
    expect(order).toEqual([byCarol, byAlice, byBob]);
  });

  it('win against a moderator who locked everybody else out', () => {
    const { story, power, join, bobJoins, all } = begin('12');
    const locked = story.tell('locked', 'm.room.power_levels', '', bob, { users: { [bob]: 50 }, invite: 50 }, [
      power,
      bobJoins,
    ]);
    const demoted = story.tell('demoted', 'm.room.power_levels', '', alice, { users: { [bob]: 0 } }, [power, join]);
    const rest = all.filter((event) => event !== power);
    expect(story.resolve([...rest, locked], [...rest, demoted])('m.room.power_levels')).toBe('demoted');
  });
});

describe('conflicts in room version 1', () => {
  it('power levels: each that the one before allows, by depth', () => {
    const { story, users, power, join, bobJoins, all } = begin('1');
    const levels = (name: string, sender: string, changes: JsonObject, cites: RoomEvent, depth: number): RoomEvent =>
      story.tell(name, 'm.room.power_levels', '', sender, { users: { ...users, ...changes } }, [power, cites], {
        depth,
      });
    const first = levels('first', alice, { [bob]: 40 }, join, 10);
    const second = levels('second', bob, { [carol]: 10 }, bobJoins, 11);
    const third = levels('third', alice, { [carol]: 20 }, join, 12);
    const rest = all.filter((event) => event !== power);
    // Bob may not set power levels once the first event holds, so the run ends before his.
    const state = story.resolve([...rest, third], [...rest, second], [...rest, first]);
    expect(state('m.room.power_levels')).toBe('first');
    expect(story.resolve([...rest, third], [...rest, first])('m.room.power_levels')).toBe('third');
  });

  it('power levels: an event may rest on what the one before gave', () => {
    const { story, users, power, join, bobJoins, all } = begin('1');
    const rest = all.filter((event) => event !== power);
    const given = story.tell('given', 'm.room.power_levels', '', alice, { users }, [power, join]);
    const used = story.tell('used', 'm.room.power_levels', '', bob, { users, kick: 40 }, [power, bobJoins]);
    expect(story.resolve([...rest, used], [...rest, given])('m.room.power_levels')).toBe('used');
  });

  it('takes the event of greatest depth that is allowed', () => {
    const { story, power, join, carolJoins, all } = begin('1');
    const topics = [alice, alice, carol].map((sender, index) => {
      const member = sender === alice ? join : carolJoins;
      return story.tell(`topic ${index}`, 'm.room.topic', '', sender, {}, [power, member]);
    });
    expect(story.resolve(...topics.map((topic) => [...all, topic]))('m.room.topic')).toBe('topic 1');
  });

  it('join rules and members are judged by the resolved power levels, others by all of these', () => {
    const { story, users, power, join, bobJoins, carolJoins, all } = begin('1');
    const demoted = story.tell(
      'demoted',
      'm.room.power_levels',
      '',
      alice,
      { users: { ...users, [bob]: 0 } },
      [power, join],
      { depth: 20 },
    );
    const kick = story.tell(
      'kick',
      'm.room.member',
      carol,
      bob,
      { membership: 'leave' },
      [power, bobJoins, carolJoins],
      { depth: 21 },
    );
    const topic = story.tell('bobs topic', 'm.room.topic', '', bob, {}, [power, bobJoins], { depth: 22 });
    const older = story.tell('alices topic', 'm.room.topic', '', alice, {}, [power, join], { depth: 9 });
    const rest = all.filter((event) => event !== power && event !== carolJoins);
    const state = story.resolve([...rest, power, kick, topic], [...rest, demoted, carolJoins, older]);
    expect(state('m.room.power_levels')).toBe('demoted');
    expect(state('m.room.member', carol)).toBe('carol joins');
    expect(state('m.room.topic')).toBe('alices topic');
  });

  it('takes the event of least depth when none is allowed', () => {
    const { story, power, carolJoins, all } = begin('1');
    const topics = [30, 31, 32].map((depth) =>
      story.tell(`topic ${depth}`, 'm.room.topic', '', carol, {}, [power, carolJoins], { depth }),
    );
    expect(story.resolve(...topics.map((topic) => [...all, topic]))('m.room.topic')).toBe('topic 30');
  });

  it('a key that only one state has is no conflict and is not judged', () => {
    const { story, power, carolJoins, all } = begin('1');
    const topic = story.tell('topic', 'm.room.topic', '', carol, {}, [power, carolJoins]);
    expect(story.resolve([...all, topic], all)('m.room.topic')).toBe('topic');
  });

  it('orders one depth by descending SHA-1 of the event id', () => {
    // By sha1sum: $d 5df2…, $e 68dc…, $f e28a…, $g 2549….
    const events = ['$d', '$e', '$f', '$g'].map((eventId) => ({ eventId: eventId as EventId, depth: 1 }));
    expect(sortByDepthAndHash(events).map(({ eventId }) => eventId)).toEqual(['$f', '$e', '$d', '$g']);
  });
});
