/** Every rule that can refuse an event, in every room version that has it, with its number on that version's page. */
import { describe, expect, it } from 'vitest';
import type { AuthRule } from '../../../src/matrix/event-auth/auth-rule.ts';
import type { AuthResult } from '../../../src/matrix/events/room-event.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { alice, AuthRoom, bob, carol, dave, eve, mallory } from '../support/auth-room.ts';

interface Refusal {
  /** Which versions have the rule under which number. */
  readonly numbers: string;
  readonly provoke: (room: AuthRoom) => AuthResult;
}

const invited = { mxid: eve, token: 'token', signatures: {} };
const viaThirdParty = (signed: JsonObject | undefined): JsonObject => ({
  third_party_invite: { display_name: 'e…', ...(signed === undefined ? {} : { signed }) },
});
const promised = (room: AuthRoom): void => void room.set('m.room.third_party_invite', 'token', bob, {});
const restricted = (room: AuthRoom): void => void room.set('m.room.join_rules', '', alice, { join_rule: 'restricted' });
const knocking = (room: AuthRoom): void => void room.set('m.room.join_rules', '', alice, { join_rule: 'knock' });

const refusals: Readonly<Record<AuthRule, Refusal>> = {
  'create/prev_events': {
    numbers: '1-12: 1.1',
    provoke: (room) => room.check(room.createEvent({}, { prev_events: ['$earlier'] })),
  },
  'create/room_id': {
    numbers: '1-12: 1.2',
    provoke: (room) => room.check(room.createEvent({}, { room_id: '!room:other.example' })),
  },
  'create/room_version': {
    numbers: '1-12: 1.3',
    provoke: (room) => room.check(room.createEvent({ room_version: '99' })),
  },
  'create/creator': {
    numbers: '1-10: 1.4',
    provoke: (room) => room.check(room.createEvent({}, { content: {} })),
  },
  'create/additional_creators': {
    numbers: '12: 1.4',
    provoke: (room) => room.check(room.createEvent({ additional_creators: ['carol'] })),
  },
  room_id: {
    numbers: '12: 2',
    provoke: (room) => room.try('m.room.message', undefined, bob, {}, { room_id: '!other' }),
  },
  'auth_events/duplicate': {
    numbers: '1-11: 2.1, 12: 3.1',
    provoke: (room) => {
      const event = room.event('m.room.message', undefined, bob, {});
      const again = { event: room.member(bob, 'join'), rejected: false };
      return room.independent(event, [...room.cited(event), again]);
    },
  },
  'auth_events/unexpected': {
    numbers: '1-11: 2.2, 12: 3.2',
    provoke: (room) => {
      const event = room.event('m.room.message', undefined, bob, {});
      const other = { event: room.member(mallory, 'join'), rejected: false };
      return room.independent(event, [...room.cited(event), other]);
    },
  },
  'auth_events/rejected': {
    numbers: '1-11: 2.3, 12: 3.3',
    provoke: (room) => {
      const event = room.event('m.room.message', undefined, bob, {});
      return room.independent(
        event,
        room.cited(event).map((cited, index) => (index === 1 ? { ...cited, rejected: true } : cited)),
      );
    },
  },
  'auth_events/no create': {
    numbers: '1-11: 2.4',
    provoke: (room) => {
      const event = room.event('m.room.message', undefined, bob, {});
      return room.independent(event, room.cited(event).slice(1));
    },
  },
  'auth_events/other room': {
    numbers: '1-11: 2.5, 12: 3.4',
    provoke: (room) => {
      const event = room.event('m.room.message', undefined, bob, {});
      const elsewhere = room.event(
        'm.room.member',
        bob,
        bob,
        { membership: 'join' },
        { room_id: '!other:one.example' },
      );
      const cited = room.cited(event).filter((one) => one.event.type !== 'm.room.member');
      return room.independent(event, [...cited, { event: elsewhere, rejected: false }]);
    },
  },
  federate: {
    numbers: '1-11: 3, 12: 4',
    provoke: ({ rules }) => new AuthRoom(rules, { 'm.federate': false }).tryMember(carol, 'join'),
  },
  'aliases/no state_key': {
    numbers: '1-5: 4.1',
    provoke: (room) => room.try('m.room.aliases', undefined, alice, {}),
  },
  'aliases/state_key': {
    numbers: '1-5: 4.2',
    provoke: (room) => room.try('m.room.aliases', 'two.example', alice, {}),
  },
  'member/incomplete': {
    numbers: '1-5: 5.1, 6-11: 4.1, 12: 5.1',
    provoke: (room) => room.try('m.room.member', bob, bob, {}),
  },
  'member/authorising server': {
    numbers: '8-11: 4.2.1, 12: 5.2.1',
    provoke: (room) => room.tryMember(carol, 'join', carol, { join_authorised_via_users_server: bob }),
  },
  'join/sender': {
    numbers: '1-5: 5.2.2, 6-7: 4.2.2, 8-11: 4.3.2, 12: 5.3.2',
    provoke: (room) => room.tryMember(eve, 'join', alice),
  },
  'join/banned': {
    numbers: '1-5: 5.2.3, 6-7: 4.2.3, 8-11: 4.3.3, 12: 5.3.3',
    provoke: (room) => room.tryMember(dave, 'join'),
  },
  'join/authorising user': {
    numbers: '8-11: 4.3.5.2, 12: 5.3.5.2',
    provoke: (room) => {
      restricted(room);
      const signatures = { 'two.example': { 'ed25519:1': 's' }, 'three.example': { 'ed25519:1': 's' } };
      return room.tryMember(carol, 'join', carol, { join_authorised_via_users_server: mallory }, { signatures });
    },
  },
  'join/otherwise': {
    numbers: '1-5: 5.2.6, 6-7: 4.2.6, 8-11: 4.3.7, 12: 5.3.7',
    provoke: (room) => room.tryMember(carol, 'join'),
  },
  'third-party invite/banned': {
    numbers: '1-5: 5.3.1.1, 6-7: 4.3.1.1, 8-11: 4.4.1.1, 12: 5.4.1.1',
    provoke: (room) => room.tryMember(dave, 'invite', bob, viaThirdParty({ ...invited, mxid: dave })),
  },
  'third-party invite/signed': {
    numbers: '1-5: 5.3.1.2, 6-7: 4.3.1.2, 8-11: 4.4.1.2, 12: 5.4.1.2',
    provoke: (room) => room.tryMember(eve, 'invite', bob, viaThirdParty(undefined)),
  },
  'third-party invite/mxid and token': {
    numbers: '1-5: 5.3.1.3, 6-7: 4.3.1.3, 8-11: 4.4.1.3, 12: 5.4.1.3',
    provoke: (room) => room.tryMember(eve, 'invite', bob, viaThirdParty({ mxid: eve, signatures: {} })),
  },
  'third-party invite/mxid': {
    numbers: '1-5: 5.3.1.4, 6-7: 4.3.1.4, 8-11: 4.4.1.4, 12: 5.4.1.4',
    provoke: (room) => room.tryMember(eve, 'invite', bob, viaThirdParty({ ...invited, mxid: carol })),
  },
  'third-party invite/no event': {
    numbers: '1-5: 5.3.1.5, 6-7: 4.3.1.5, 8-11: 4.4.1.5, 12: 5.4.1.5',
    provoke: (room) => room.tryMember(eve, 'invite', bob, viaThirdParty(invited)),
  },
  'third-party invite/sender': {
    numbers: '1-5: 5.3.1.6, 6-7: 4.3.1.6, 8-11: 4.4.1.6, 12: 5.4.1.6',
    provoke: (room) => {
      promised(room);
      return room.tryMember(eve, 'invite', alice, viaThirdParty(invited));
    },
  },
  'third-party invite/otherwise': {
    numbers: '1-5: 5.3.1.8, 6-7: 4.3.1.8, 8-11: 4.4.1.8, 12: 5.4.1.8',
    provoke: (room) => {
      promised(room);
      return room.tryMember(eve, 'invite', bob, viaThirdParty(invited));
    },
  },
  'invite/sender not joined': {
    numbers: '1-5: 5.3.2, 6-7: 4.3.2, 8-11: 4.4.2, 12: 5.4.2',
    provoke: (room) => room.tryMember(carol, 'invite', eve),
  },
  'invite/target': {
    numbers: '1-5: 5.3.3, 6-7: 4.3.3, 8-11: 4.4.3, 12: 5.4.3',
    provoke: (room) => room.tryMember(mallory, 'invite', bob),
  },
  'invite/otherwise': {
    numbers: '1-5: 5.3.5, 6-7: 4.3.5, 8-11: 4.4.5, 12: 5.4.5',
    provoke: (room) => room.tryMember(carol, 'invite', mallory),
  },
  'leave/self': {
    numbers: '1-5: 5.4.1, 6-7: 4.4.1, 8-11: 4.5.1, 12: 5.5.1',
    provoke: (room) => room.tryMember(carol, 'leave'),
  },
  'leave/sender not joined': {
    numbers: '1-5: 5.4.2, 6-7: 4.4.2, 8-11: 4.5.2, 12: 5.5.2',
    provoke: (room) => room.tryMember(mallory, 'leave', eve),
  },
  'leave/unban': {
    numbers: '1-5: 5.4.3, 6-7: 4.4.3, 8-11: 4.5.3, 12: 5.5.3',
    provoke: (room) => room.tryMember(dave, 'leave', bob),
  },
  'leave/otherwise': {
    numbers: '1-5: 5.4.5, 6-7: 4.4.5, 8-11: 4.5.5, 12: 5.5.5',
    provoke: (room) => room.tryMember(bob, 'leave', mallory),
  },
  'ban/sender not joined': {
    numbers: '1-5: 5.5.1, 6-7: 4.5.1, 8-11: 4.6.1, 12: 5.6.1',
    provoke: (room) => room.tryMember(mallory, 'ban', eve),
  },
  'ban/otherwise': {
    numbers: '1-5: 5.5.3, 6-7: 4.5.3, 8-11: 4.6.3, 12: 5.6.3',
    provoke: (room) => room.tryMember(mallory, 'ban', bob),
  },
  'knock/join_rule': {
    numbers: '7: 4.6.1, 8-11: 4.7.1, 12: 5.7.1',
    provoke: (room) => room.tryMember(carol, 'knock'),
  },
  'knock/sender': {
    numbers: '7: 4.6.2, 8-11: 4.7.2, 12: 5.7.2',
    provoke: (room) => {
      knocking(room);
      return room.tryMember(carol, 'knock', bob);
    },
  },
  'knock/otherwise': {
    numbers: '7: 4.6.4, 8-11: 4.7.4, 12: 5.7.4',
    provoke: (room) => {
      knocking(room);
      return room.tryMember(dave, 'knock');
    },
  },
  'member/unknown': {
    numbers: '1-5: 5.6, 6: 4.6, 7: 4.7, 8-11: 4.8, 12: 5.8',
    provoke: (room) => room.tryMember(bob, 'example.membership'),
  },
  'sender not joined': {
    numbers: '1-5: 6, 6-11: 5, 12: 6',
    provoke: (room) => room.try('m.room.message', undefined, eve, {}),
  },
  'm.room.third_party_invite': {
    numbers: '1-5: 7.1, 6-11: 6.1, 12: 7.1',
    provoke: (room) => room.try('m.room.third_party_invite', 'token', mallory, {}),
  },
  'required power level': {
    numbers: '1-5: 8, 6-11: 7, 12: 8',
    provoke: (room) => room.try('m.room.topic', '', mallory, {}),
  },
  'state_key of another user': {
    numbers: '1-5: 9, 6-11: 8, 12: 9',
    provoke: (room) => room.try('example.low', bob, mallory, {}),
  },
  'power_levels/not integers': {
    numbers: '10-11: 9.1, 12: 10.1',
    provoke: (room) => room.tryPowerLevels(bob, { kick: '40' }),
  },
  'power_levels/events not integers': {
    numbers: '10-11: 9.2, 12: 10.2',
    provoke: (room) => room.tryPowerLevels(bob, { notifications: { room: '0' } }),
  },
  'power_levels/users not integers': {
    numbers: '1-5: 10.1, 6-9: 9.1, 10-11: 9.3, 12: 10.3',
    provoke: (room) => room.tryPowerLevels(bob, { users: { [carol]: 'ten' } }),
  },
  'power_levels/creators': {
    numbers: '12: 10.4',
    provoke: (room) => room.tryPowerLevels(bob, { users: { [alice]: 100 } }),
  },
  'power_levels/current value': {
    numbers: '1-5: 10.3.1, 6-9: 9.3.1, 10-11: 9.5.1, 12: 10.6.1',
    provoke: (room) => room.tryPowerLevels(bob, { ban: 10 }),
  },
  'power_levels/new value': {
    numbers: '1-5: 10.3.2, 6-9: 9.3.2, 10-11: 9.5.2, 12: 10.6.2',
    provoke: (room) => room.tryPowerLevels(bob, { kick: 51 }),
  },
  'power_levels/current events': {
    numbers: '1-5: 10.4.1, 6-9: 9.4.1, 10-11: 9.6.1, 12: 10.7.1',
    provoke: (room) => room.tryPowerLevels(bob, { events: { 'example.high': 50 } }),
  },
  'power_levels/new events': {
    numbers: '1-5: 10.5.1, 6-9: 9.5.1, 10-11: 9.7.1, 12: 10.8.1',
    provoke: (room) => room.tryPowerLevels(bob, { events: { 'example.low': 51 } }),
  },
  'power_levels/current users': {
    numbers: '1-5: 10.6.1, 6-9: 9.6.1, 10-11: 9.8.1, 12: 10.9.1',
    provoke: (room) => {
      room.set('m.room.power_levels', '', alice, room.powerLevels({ users: { [mallory]: 50 } }));
      return room.tryPowerLevels(bob, { users: { [mallory]: 0 } });
    },
  },
  'power_levels/new users': {
    numbers: '1-5: 10.7.1, 6-9: 9.7.1, 10-11: 9.9.1, 12: 10.10.1',
    provoke: (room) => room.tryPowerLevels(bob, { users: { [bob]: 51 } }),
  },
  'redaction/otherwise': {
    numbers: '1-2: 11.3',
    provoke: (room) => room.try('m.room.redaction', undefined, mallory, {}, { redacts: '$event:one.example' }),
  },
};

describe('every rule refuses, by its number', () => {
  for (const [rule, { numbers, provoke }] of Object.entries(refusals)) {
    it(`${rule} (${numbers})`, () => {
      const byVersion = parseNumbers(numbers);
      for (const [version, rules] of Object.entries(roomVersions)) {
        const result = provoke(new AuthRoom(rules));
        const number = byVersion.get(version);
        if (number !== undefined) {
          expect(result, `version ${version}`).toEqual({
            ok: false,
            rule: number,
            reason: expect.any(String) as string,
          });
        }
      }
    });
  }
});

describe('what only looks like a reason to refuse', () => {
  it('m.federate closes a room only when it is false', () => {
    for (const rules of Object.values(roomVersions)) {
      for (const federate of [true, 'false', 0, null]) {
        const room = new AuthRoom(rules, { 'm.federate': federate });
        expect(room.tryMember(eve, 'join')).toEqual({ ok: true });
      }
      const closed = new AuthRoom(rules, { 'm.federate': false });
      expect(closed.try('m.room.message', undefined, bob, {})).toEqual({ ok: true });
    }
  });

  it('what a restricted join is authorised by must be a user', () => {
    for (const rules of Object.values(roomVersions).filter(({ eventAuth }) => eventAuth.restricted)) {
      for (const via of [7, null, '', 'one.example', 'bob:one.example', { user: bob }]) {
        const room = new AuthRoom(rules);
        const signatures = Object.fromEntries(
          ['', 'one.example', 'undefined'].map((name) => [name, { 'ed25519:1': 's' }]),
        );
        const result = room.tryMember(eve, 'join', eve, { join_authorised_via_users_server: via }, { signatures });
        expect(result).toMatchObject({ ok: false, rule: expect.stringMatching(/^[45]\.2\.1$/) as string });
      }
    }
  });
});

/** "1-5: 4.1, 6: 3.1" as a number for each version. */
function parseNumbers(text: string): Map<string, string> {
  const byVersion = new Map<string, string>();
  for (const part of text.split(', ')) {
    const [, first, last, number] = /^(\d+)(?:-(\d+))?: ([\d.]+)$/.exec(part) ?? [];
    if (first === undefined || number === undefined) throw new Error(`Cannot read ${part}`);
    for (let version = Number(first); version <= Number(last ?? first); version++) {
      byVersion.set(String(version), number);
    }
  }
  return byVersion;
}
