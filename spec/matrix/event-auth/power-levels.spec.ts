import { describe, expect, it } from 'vitest';
import { namedPowerLevel, powerLevelOf, requiredPowerLevelFor } from '../../../src/matrix/event-auth/power-levels.ts';
import { parseJson } from '../../../src/matrix/json/parse-json.ts';
import { isJsonObject, type JsonObject } from '../../../src/matrix/json/json-value.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { alice, AuthRoom, bob, carol } from '../support/auth-room.ts';

const rules = roomVersions['11'];
const { create } = new AuthRoom(rules);

describe('power levels', () => {
  it('have the defaults of the specification without an event', () => {
    expect(powerLevelOf(alice, create, undefined, rules)).toBe(100);
    expect(powerLevelOf(bob, create, undefined, rules)).toBe(0);
    expect(requiredPowerLevelFor('m.room.topic', true, undefined, rules)).toBe(50);
    expect(requiredPowerLevelFor('m.room.message', false, undefined, rules)).toBe(0);
    const levels = (['ban', 'kick', 'redact', 'invite'] as const).map((name) =>
      namedPowerLevel(name, undefined, rules),
    );
    expect(levels).toEqual([50, 50, 50, 0]);
  });

  it('have the defaults for what an event leaves out', () => {
    const powerLevels = { content: {} };
    expect(powerLevelOf(alice, create, powerLevels, rules)).toBe(0);
    expect(requiredPowerLevelFor('m.room.topic', true, powerLevels, rules)).toBe(50);
    expect(requiredPowerLevelFor('m.room.message', false, powerLevels, rules)).toBe(0);
    const levels = (['ban', 'kick', 'redact', 'invite'] as const).map((name) =>
      namedPowerLevel(name, powerLevels, rules),
    );
    expect(levels).toEqual([50, 50, 50, 0]);
  });

  it('are what the event says', () => {
    const content = {
      users: { [bob]: 7 },
      users_default: 3,
      events: { 'm.room.topic': 11, 'm.room.message': 12 },
      state_default: 13,
      events_default: 14,
      ban: 15,
      kick: 16,
      redact: 17,
      invite: 18,
    };
    expect(powerLevelOf(bob, create, { content }, rules)).toBe(7);
    expect(powerLevelOf(carol, create, { content }, rules)).toBe(3);
    expect(requiredPowerLevelFor('m.room.topic', true, { content }, rules)).toBe(11);
    expect(requiredPowerLevelFor('m.room.message', false, { content }, rules)).toBe(12);
    expect(requiredPowerLevelFor('m.room.name', true, { content }, rules)).toBe(13);
    expect(requiredPowerLevelFor('m.sticker', false, { content }, rules)).toBe(14);
    const levels = (['ban', 'kick', 'redact', 'invite'] as const).map((name) =>
      namedPowerLevel(name, { content }, rules),
    );
    expect(levels).toEqual([15, 16, 17, 18]);
  });

  it('are not inherited from JavaScript', () => {
    const content = parsed('{"users":{},"events":{}}');
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(requiredPowerLevelFor(name, true, { content }, rules)).toBe(50);
      expect(powerLevelOf(name, create, { content }, rules)).toBe(0);
    }
    const own = parsed('{"users":{"__proto__":9},"events":{"__proto__":8,"constructor":7}}');
    expect(powerLevelOf('__proto__', create, { content: own }, rules)).toBe(9);
    expect(requiredPowerLevelFor('__proto__', true, { content: own }, rules)).toBe(8);
    expect(requiredPowerLevelFor('constructor', true, { content: own }, rules)).toBe(7);
  });

  it('that are none give no power and are out of reach', () => {
    const old = roomVersions['9'];
    for (const content of [
      { users_default: 'much', events_default: {}, ban: null },
      { users_default: true, events_default: '1.5', ban: [] },
    ]) {
      expect(powerLevelOf(bob, create, { content }, old)).toBe(-Infinity);
      expect(requiredPowerLevelFor('m.room.message', false, { content }, old)).toBe(Infinity);
      expect(namedPowerLevel('ban', { content }, old)).toBe(Infinity);
      const inEvents = { events: { 'm.room.message': content.events_default }, events_default: 0 };
      expect(requiredPowerLevelFor('m.room.message', false, { content: inEvents }, old)).toBe(Infinity);
    }
  });

  it('are not found in what is no object', () => {
    for (const odd of [[], 'text', 7, null]) {
      const content = { users: odd, events: odd };
      expect(powerLevelOf(bob, create, { content }, rules)).toBe(0);
      expect(requiredPowerLevelFor('length', true, { content }, rules)).toBe(50);
    }
  });
});

function parsed(text: string): JsonObject {
  const value = parseJson(text);
  if (!isJsonObject(value)) throw new Error('not an object');
  return value;
}
