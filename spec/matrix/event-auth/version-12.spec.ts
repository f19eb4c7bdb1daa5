/** Room version 12: room ids made from the create event, privileged creators. https://spec.matrix.org/v1.19/rooms/v12/ */
import { describe, expect, it } from 'vitest';
import { creatorsOf, isCreator } from '../../../src/matrix/event-auth/creators.ts';
import { powerLevelOf } from '../../../src/matrix/event-auth/power-levels.ts';
import { checkStateDependentAuthRules } from '../../../src/matrix/event-auth/state-dependent.ts';
import { checkStateIndependentAuthRules } from '../../../src/matrix/event-auth/state-independent.ts';
import type { AuthResult, RoomEvent } from '../../../src/matrix/events/room-event.ts';
import type { JsonValue } from '../../../src/matrix/json/json-value.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { alice, AuthRoom, bob, carol, dave, eve, mallory } from '../support/auth-room.ts';

const rules = roomVersions['12'];
const allowed: AuthResult = { ok: true };
const refusedBy = (rule: string): unknown => ({ ok: false, rule, reason: expect.any(String) as string });

describe('room version 12: the create event', () => {
  const room = new AuthRoom(rules);
  const accepted: readonly JsonValue[] = [[], [carol], [alice], [carol, carol], ['@:one.example'], ['@Ünï:[::1]:8448']];
  for (const additional of accepted) {
    it(`accepts additional_creators ${JSON.stringify(additional)}`, () => {
      expect(room.check(room.createEvent({ additional_creators: additional }))).toEqual(allowed);
    });
  }

  const malformed: readonly JsonValue[] = [
    null,
    carol,
    { 0: carol },
    [carol, 7],
    [[carol]],
    ['carol'],
    ['@carol'],
    ['@carol:'],
    ['@carol:two example'],
    ['carol:two.example'],
    ['!carol:two.example'],
    [`@${'c'.repeat(250)}:two.example`],
    [''],
  ];
  for (const additional of malformed) {
    it(`refuses additional_creators ${JSON.stringify(additional)}`, () => {
      expect(room.check(room.createEvent({ additional_creators: additional }))).toEqual(refusedBy('1.4'));
    });
  }

  it('refuses any room_id, even the right one', () => {
    for (const id of ['!create:one.example', '!room:one.example', '']) {
      expect(room.check(room.createEvent({}, { room_id: id }))).toEqual(refusedBy('1.2'));
    }
  });
});

describe('room version 12: the room id', () => {
  const room = new AuthRoom(rules);
  const event = room.event('m.room.message', undefined, bob, {});
  const check = (create?: { event: RoomEvent; rejected: boolean }, of: RoomEvent = event): AuthResult =>
    checkStateIndependentAuthRules(of, room.cited(of), rules, create);

  it('is that of an accepted create event', () => {
    expect(check({ event: room.create, rejected: false })).toEqual(allowed);
    expect(check(undefined)).toEqual(refusedBy('2'));
    expect(check({ event: room.create, rejected: true })).toEqual(refusedBy('2'));
  });

  it('is not that of another event', () => {
    const other = room.createEvent({}, { event_id: '$other:one.example' });
    expect(check({ event: other, rejected: false })).toEqual(refusedBy('2'));
    const { eventId } = room.create;
    const noCreate = room.event('m.room.topic', '', alice, {}, { event_id: eventId });
    expect(check({ event: noCreate, rejected: false })).toEqual(refusedBy('2'));
    const elsewhere = room.event('m.room.message', undefined, bob, {}, { room_id: '!other:one.example' });
    expect(check({ event: room.create, rejected: false }, elsewhere)).toEqual(refusedBy('2'));
  });

  it('is that of the auth events', () => {
    const member = room.event('m.room.member', bob, bob, { membership: 'join' }, { room_id: '!other:one.example' });
    const cited = room.cited(event).filter((one) => one.event.type !== 'm.room.member');
    expect(room.independent(event, [...cited, { event: member, rejected: false }])).toEqual(refusedBy('3.4'));
  });

  it('is enough: the create event must not be cited', () => {
    const create = { event: room.create, rejected: false };
    expect(room.independent(event, [create, ...room.cited(event)])).toEqual(refusedBy('3.2'));
  });

  it('is asked for by the rules on state too', () => {
    expect(checkStateDependentAuthRules(event, () => undefined, rules)).toEqual(refusedBy('2'));
  });
});

describe('room version 12: creators', () => {
  const room = (): AuthRoom => {
    const made = new AuthRoom(rules, { additional_creators: [carol] });
    made.member(carol, 'join');
    made.set('m.room.power_levels', '', alice, made.powerLevels({ users: { [bob]: 2 ** 53 - 1 } }));
    return made;
  };

  it('are the sender and the additional creators', () => {
    const { create } = room();
    expect(creatorsOf(create, rules)).toEqual([alice, carol]);
    for (const user of [alice, carol]) {
      expect(isCreator(user, create, rules)).toBe(true);
      expect(powerLevelOf(user, create, undefined, rules)).toBe(Infinity);
      expect(powerLevelOf(user, create, { content: { users: { [user]: -5 }, users_default: -5 } }, rules)).toBe(
        Infinity,
      );
    }
    expect(isCreator(bob, create, rules)).toBe(false);
    expect(powerLevelOf(bob, create, undefined, rules)).toBe(0);
  });

  it('are only the sender before version 12', () => {
    const { create } = new AuthRoom(roomVersions['11'], { additional_creators: [carol] });
    expect(creatorsOf(create, roomVersions['11'])).toEqual([alice]);
    expect(powerLevelOf(carol, create, undefined, roomVersions['11'])).toBe(0);
    expect(powerLevelOf(alice, create, undefined, roomVersions['11'])).toBe(100);
  });

  it('cannot be kicked or banned, by nobody', () => {
    for (const creator of [alice, carol]) {
      for (const sender of [alice, bob, carol].filter((user) => user !== creator)) {
        expect(room().tryMember(creator, 'leave', sender)).toEqual(refusedBy('5.5.5'));
        expect(room().tryMember(creator, 'ban', sender)).toEqual(refusedBy('5.6.3'));
      }
      expect(room().tryMember(creator, 'leave')).toEqual(allowed);
    }
  });

  it('kick, ban, unban and invite whomever they want', () => {
    for (const creator of [alice, carol]) {
      expect(room().tryMember(bob, 'leave', creator)).toEqual(allowed);
      expect(room().tryMember(bob, 'ban', creator)).toEqual(allowed);
      expect(room().tryMember(dave, 'leave', creator)).toEqual(allowed);
      expect(room().tryMember('@frank:two.example', 'invite', creator)).toEqual(allowed);
    }
  });

  it('must still be in the room', () => {
    const left = room();
    left.member(carol, 'leave');
    expect(left.try('m.room.name', '', carol, {})).toEqual(refusedBy('6'));
    expect(left.tryMember(carol, 'join')).toEqual(refusedBy('5.3.7'));
  });

  it('set and take any power level', () => {
    for (const creator of [alice, carol]) {
      expect(room().tryPowerLevels(creator, { users: { [bob]: 0 }, ban: 2 ** 53 - 1 })).toEqual(allowed);
    }
  });

  it('are not named in the power levels, by nobody, at no level', () => {
    for (const named of [alice, carol]) {
      for (const sender of [alice, bob, carol]) {
        for (const level of [0, 100, -1]) {
          expect(room().tryPowerLevels(sender, { users: { [named]: level } })).toEqual(refusedBy('10.4'));
        }
      }
    }
    expect(room().tryPowerLevels(alice, { users: { [named('alice')]: 1 } })).toEqual(allowed);
  });

  it('are named neither in the first power levels', () => {
    const fresh = new AuthRoom(rules, { additional_creators: [carol] });
    fresh.set('m.room.power_levels', 'other', alice, {});
    const event = fresh.event('m.room.power_levels', '', alice, { users: { [carol]: 100 } });
    const create = fresh.create;
    const member = fresh.member(alice, 'join');
    const state = (type: string, key: string): RoomEvent | undefined =>
      type === 'm.room.create' ? create : type === 'm.room.member' && key === alice ? member : undefined;
    expect(checkStateDependentAuthRules(event, state, rules)).toEqual(refusedBy('10.4'));
  });

  it('join first only as the sender of the create event', () => {
    const fresh = new AuthRoom(rules, { additional_creators: [carol] });
    const first = { prev_events: [fresh.create.eventId] };
    fresh.member(alice, 'leave');
    expect(fresh.tryMember(alice, 'join', alice, {}, first)).toEqual(allowed);
    expect(fresh.tryMember(carol, 'join', carol, {}, first)).toEqual(refusedBy('5.3.7'));
  });

  it('authorise restricted joins however high the invite level', () => {
    const made = room();
    made.set('m.room.power_levels', '', alice, made.powerLevels({ invite: 2 ** 53 - 1, users: { [bob]: 50 } }));
    made.set('m.room.join_rules', '', alice, { join_rule: 'restricted' });
    const via = (user: string): AuthResult =>
      made.tryMember(
        eve === user ? mallory : '@frank:two.example',
        'join',
        '@frank:two.example',
        {
          join_authorised_via_users_server: user,
        },
        { signatures: { 'one.example': { 'ed25519:1': 's' }, 'two.example': { 'ed25519:1': 's' } } },
      );
    expect(via(carol)).toEqual(allowed);
    expect(via(bob)).toEqual(refusedBy('5.3.5.2'));
  });
});

function named(localpart: string): string {
  return `@${localpart}:elsewhere.example`;
}
