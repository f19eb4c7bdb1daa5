import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorisePowerLevelsContent } from '../../../src/matrix/event-auth/power-levels-content.ts';
import { powerLevelOf } from '../../../src/matrix/event-auth/power-levels.ts';
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject, JsonValue } from '../../../src/matrix/json/json-value.ts';
import { findRoomVersion } from '../../../src/matrix/room-versions/table.ts';
import { closedPowerLevels, upgradedPowerLevels } from '../../../src/rooms/upgrade/upgraded-power-levels.ts';

const rulesOf = (version: string) => {
  const rules = findRoomVersion(version);
  if (rules === undefined) throw new Error(`no room version ${version}`);
  return rules;
};
const [alice, bob, carol] = ['@alice:test', '@bob:test', '@carol:test'] as const;
const old = (version: string, content: JsonObject | undefined, creators: string[] = [alice]) => ({
  rules: rulesOf(version),
  content,
  creators,
});
const upgraded = (
  from: ReturnType<typeof old>,
  version: string,
  creators: readonly [string, ...string[]] = [bob],
  banned: string[] = [],
) => upgradedPowerLevels(from, { rules: rulesOf(version), creators, banned });

describe('power levels of an upgraded room', () => {
  it('are those of the old one, without creators where they need no level', () => {
    const content = { users: { [alice]: 100, [bob]: 100, [carol]: 50 }, events: { 'm.room.name': 50 }, ban: 60 };
    const { initial, lasting } = upgraded(old('11', content), '12', [alice, bob]);
    expect(initial).toBe(lasting);
    expect(lasting).toEqual({
      users: { [carol]: 50 },
      events: { 'm.room.name': 50, 'm.room.tombstone': 150 },
      ban: 60,
    });
    expect(upgraded(old('11', content), '11').lasting).toEqual(content);
  });

  it('leave upgrades to the creators, and leave it to the room how far', () => {
    const tombstone = (content: JsonObject) =>
      (upgraded(old('12', content), '12').lasting['events'] as JsonObject)['m.room.tombstone'];
    expect(tombstone({})).toBe(150);
    expect(tombstone({ events: { 'm.room.tombstone': 100 } })).toBe(100);
    expect(tombstone({ events: { 'm.room.tombstone': 50 } })).toBe(150);
    expect(tombstone({ state_default: 200, events: { 'm.room.tombstone': 200 } })).toBe(201);
  });

  it('give old creators the most there is where they would have none', () => {
    const content = { users: { [bob]: 150 }, events: { 'm.room.tombstone': 150 } };
    expect(upgraded(old('12', content, [alice, carol]), '11').lasting['users']).toEqual({
      [alice]: 150,
      [bob]: 150,
      [carol]: 150,
    });
    expect(upgraded(old('12', { users: { [bob]: 150 } }), '12').lasting['users']).toEqual({});
  });

  it('lift the one who upgrades until everything is sent', () => {
    const content = { users: { [alice]: 100, [bob]: 60 }, events: { 'm.room.tombstone': 60, 'm.room.encryption': 90 } };
    const { initial, lasting } = upgraded(old('11', content), '10', [bob], [alice, carol]);
    expect(initial['users']).toEqual({ [alice]: 100, [bob]: 101 });
    expect(lasting['users']).toEqual({ [alice]: 100, [bob]: 60 });
  });

  it('read what only old versions take for a level', () => {
    const content = {
      users: { [alice]: '100', [bob]: ' 60 ', 'not a user': 50, [carol]: 'much' },
      events: { 'm.room.name': '50', 'm.room.topic': null },
      notifications: { room: '20' },
      state_default: '40',
      kick: {},
      'org.example': 'kept',
    };
    expect(upgraded(old('9', content), '10', [alice]).lasting).toEqual({
      users: { [alice]: 100, [bob]: 60 },
      events: { 'm.room.name': 50 },
      notifications: { room: 20 },
      state_default: 40,
      'org.example': 'kept',
    });
    expect(upgraded(old('11', undefined), '11', [alice]).lasting).toEqual({ users: { [alice]: 100 } });
  });

  const level = fc.oneof(fc.integer({ min: -5, max: 200 }), fc.constantFrom<JsonValue>('50', ' 7', 'x', null, 1.5, {}));
  const levels = (...keys: string[]) =>
    fc.record(Object.fromEntries(keys.map((key) => [key, level])), { requiredKeys: [] });
  const contents = fc
    .record({
      scalars: levels('ban', 'kick', 'redact', 'invite', 'state_default', 'events_default', 'users_default'),
      users: levels(alice, bob, carol, 'nobody'),
      events: levels('m.room.name', 'm.room.tombstone', 'm.room.power_levels'),
      notifications: levels('room'),
    })
    .map(({ scalars, ...rest }): JsonObject => ({ ...scalars, ...rest }));
  const versions = fc.constantFrom('1', '5', '9', '10', '11', '12');

  it('stand before the rules of the new version, whatever the old ones were', () => {
    fc.assert(
      fc.property(versions, versions, contents, (from, to, content) => {
        const rules = rulesOf(to);
        const { initial, lasting } = upgraded(old(from, content), to, [bob], [carol]);
        const create = { sender: bob as UserId, content: { creator: bob } };
        const senderLevel = powerLevelOf(bob, create, { content: initial }, rules);
        const change = { sender: bob, senderLevel, creators: [bob] };
        expect(authorisePowerLevelsContent({ ...change, content: initial, current: undefined }, rules).ok).toBe(true);
        const back = { ...change, content: lasting, current: { content: initial } };
        expect(authorisePowerLevelsContent(back, rules).ok).toBe(true);
      }),
    );
  });
});

describe('power levels of a room that was replaced', () => {
  it('let nobody without special power speak or invite', () => {
    expect(closedPowerLevels(old('12', { users: { [bob]: 50 } }))).toEqual({
      users: { [bob]: 50 },
      events_default: 50,
      invite: 50,
    });
    expect(closedPowerLevels(old('9', { users_default: '60', invite: '70' }))).toEqual({
      users_default: '60',
      events_default: 61,
      invite: 70,
    });
    expect(closedPowerLevels(old('11', undefined))).toEqual({
      users: { [alice]: 100 },
      events_default: 50,
      invite: 50,
    });
    expect(closedPowerLevels(old('12', { events_default: 50, invite: 80 }))).toBeUndefined();
  });
});
