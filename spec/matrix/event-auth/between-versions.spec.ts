/** What some room versions allow and others refuse. */
import { describe, expect, it } from 'vitest';
import type { AuthResult } from '../../../src/matrix/events/room-event.ts';
import { rawNumber } from '../../../src/matrix/json/raw-number.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { alice, AuthRoom, bob, carol, eve, mallory } from '../support/auth-room.ts';

const cases: readonly {
  readonly title: string;
  /** The versions that allow it, first and last. */
  readonly allowedIn: readonly [number, number];
  readonly happens: (room: AuthRoom) => AuthResult;
}[] = [
  {
    title: 'a user knocks',
    allowedIn: [7, 12],
    happens: (room) => {
      room.set('m.room.join_rules', '', alice, { join_rule: 'knock' });
      return room.tryMember(carol, 'knock');
    },
  },
  {
    title: 'an invited user joins a room whose join rule is knock',
    allowedIn: [7, 12],
    happens: (room) => {
      room.set('m.room.join_rules', '', alice, { join_rule: 'knock' });
      return room.tryMember(eve, 'join');
    },
  },
  {
    title: 'a user takes a knock back',
    allowedIn: [7, 12],
    happens: (room) => {
      room.member(carol, 'knock');
      return room.tryMember(carol, 'leave');
    },
  },
  {
    title: 'a user joins a restricted room with the signature of a member who may invite',
    allowedIn: [8, 12],
    happens: (room) => {
      room.set('m.room.join_rules', '', alice, { join_rule: 'restricted' });
      return restrictedJoin(room);
    },
  },
  {
    title: 'an invited user joins a restricted room',
    allowedIn: [8, 12],
    happens: (room) => {
      room.set('m.room.join_rules', '', alice, { join_rule: 'restricted' });
      return room.tryMember(eve, 'join');
    },
  },
  {
    title: 'a user knocks at a restricted room that can be knocked at',
    allowedIn: [10, 12],
    happens: (room) => {
      room.set('m.room.join_rules', '', alice, { join_rule: 'knock_restricted' });
      return room.tryMember(carol, 'knock');
    },
  },
  {
    title: 'a user joins a restricted room that can be knocked at',
    allowedIn: [10, 12],
    happens: (room) => {
      room.set('m.room.join_rules', '', alice, { join_rule: 'knock_restricted' });
      return restrictedJoin(room);
    },
  },
  {
    title: 'a user outside the room sets the aliases of the own server',
    allowedIn: [1, 5],
    happens: (room) => room.try('m.room.aliases', 'two.example', carol, {}),
  },
  {
    title: 'a user without power redacts an event of another server (later judged when it is applied)',
    allowedIn: [3, 12],
    happens: (room) => room.try('m.room.redaction', undefined, mallory, {}, { redacts: '$event:one.example' }),
  },
  {
    title: 'a user without power redacts an event of the own server',
    allowedIn: [1, 12],
    happens: (room) => room.try('m.room.redaction', undefined, mallory, {}, { redacts: '$event:three.example' }),
  },
  {
    title: 'power levels are strings',
    allowedIn: [1, 9],
    happens: (room) => room.tryPowerLevels(alice, { kick: ' +0040 ', users: { [bob]: '-7' } }),
  },
  {
    title: 'power levels are fractions',
    allowedIn: [1, 5],
    happens: (room) => room.tryPowerLevels(alice, { kick: rawNumber('4e1'), users: { [bob]: 7.9 } }),
  },
  {
    title: 'the creator is named in the power levels',
    allowedIn: [1, 11],
    happens: (room) => room.tryPowerLevels(alice, { users: { [alice]: 100 } }),
  },
  {
    title: 'a moderator sets a notification level above the own',
    allowedIn: [1, 5],
    happens: (room) => room.tryPowerLevels(bob, { notifications: { room: 90 } }),
  },
  {
    title: 'the user that content.creator names makes the first join',
    allowedIn: [1, 10],
    happens: ({ rules }) => {
      const room = new AuthRoom(rules, { creator: carol });
      return room.tryMember(carol, 'join', carol, {}, { prev_events: [room.create.eventId] });
    },
  },
  {
    title: 'the sender of the create event makes the first join, whoever content.creator is',
    allowedIn: [11, 12],
    happens: ({ rules }) => {
      const room = new AuthRoom(rules, { creator: carol });
      room.member(alice, 'leave');
      return room.tryMember(alice, 'join', alice, {}, { prev_events: [room.create.eventId] });
    },
  },
  {
    title: 'a create event that an event names as auth event',
    allowedIn: [1, 11],
    happens: (room) => {
      const event = room.event('m.room.message', undefined, bob, {});
      const cited = room.cited(event).filter((one) => one.event.type !== 'm.room.create');
      return room.independent(event, [{ event: room.create, rejected: false }, ...cited]);
    },
  },
  {
    title: 'a creator acts against all power levels',
    allowedIn: [12, 12],
    happens: (room) => {
      const most = 2 ** 53 - 1;
      room.set('m.room.power_levels', '', bob, { state_default: most, users: { [bob]: most }, users_default: 1 });
      return room.try('m.room.name', '', alice, {});
    },
  },
];

describe('between room versions', () => {
  for (const { title, allowedIn, happens } of cases) {
    it(`${title}: ${allowedIn.join(' to ')}`, () => {
      const versions = Object.entries(roomVersions).filter(([, rules]) => happens(new AuthRoom(rules)).ok);
      const expected = Object.keys(roomVersions).slice(allowedIn[0] - 1, allowedIn[1]);
      expect(versions.map(([version]) => version)).toEqual(expected);
    });
  }
});

function restrictedJoin(room: AuthRoom): AuthResult {
  const signatures = { 'two.example': { 'ed25519:1': 's' }, 'one.example': { 'ed25519:1': 's' } };
  return room.tryMember(carol, 'join', carol, { join_authorised_via_users_server: bob }, { signatures });
}
