import { describe, expect, it } from 'vitest';
import type { RoomEvent } from '../../../src/matrix/events/room-event.ts';
import type { EventId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';
import { mainlineOrdering } from '../../../src/matrix/state-res/mainline-ordering.ts';
import { isPowerEvent, reverseTopologicalPowerOrdering } from '../../../src/matrix/state-res/power-ordering.ts';
import type { ResolutionSource } from '../../../src/matrix/state-res/resolution-source.ts';
import { runSteps, suppliesNothing } from '../../../src/matrix/state-res/steps.ts';
import { eventFromCase } from '../support/room-events.ts';

const alice = '@alice:one';
const bob = '@bob:two';

function event(id: string, type: string, stateKey: string, fields: JsonObject = {}): RoomEvent {
  return eventFromCase({ type, state_key: stateKey, sender: alice, event_id: id, content: {}, ...fields });
}

describe('power events', () => {
  const member = (sender: string, membership: string): RoomEvent =>
    event('$', 'm.room.member', bob, { sender, content: { membership } });

  it('are power levels and join rules of the empty state_key', () => {
    expect(isPowerEvent(event('$', 'm.room.power_levels', ''))).toBe(true);
    expect(isPowerEvent(event('$', 'm.room.join_rules', ''))).toBe(true);
    expect(isPowerEvent(event('$', 'm.room.power_levels', 'other'))).toBe(false);
    expect(isPowerEvent(event('$', 'm.room.join_rules', 'other'))).toBe(false);
    expect(isPowerEvent(event('$', 'm.room.create', ''))).toBe(false);
    expect(isPowerEvent(event('$', 'm.room.topic', ''))).toBe(false);
  });

  it('are kicks and bans, and no other memberships', () => {
    expect(isPowerEvent(member(alice, 'leave'))).toBe(true);
    expect(isPowerEvent(member(alice, 'ban'))).toBe(true);
    expect(isPowerEvent(member(bob, 'leave'))).toBe(false);
    expect(isPowerEvent(member(bob, 'ban'))).toBe(false);
    expect(isPowerEvent(member(alice, 'invite'))).toBe(false);
    expect(isPowerEvent(member(alice, 'knock'))).toBe(false);
  });
});

describe('the reverse topological power ordering', () => {
  const create = event('$create', 'm.room.create', '', { content: { creator: alice } });
  const levels = event('$levels', 'm.room.power_levels', '', { content: { users: { [bob]: 70 } } });
  const find = (id: EventId): RoomEvent | undefined => [create, levels].find((one) => one.eventId === id);
  const order = (version: '2' | '12', ...events: readonly RoomEvent[]): string[] =>
    reverseTopologicalPowerOrdering(events, find, roomVersions[version], create).map(({ eventId }) => eventId);

  it('looks for the level of the sender in what the event cites', () => {
    const byAlice = event('$alice', 'm.room.topic', '', { auth_events: ['$create'] });
    const byBob = event('$bob', 'm.room.topic', '', { sender: bob, auth_events: ['$create', '$levels'] });
    const citesNothing = event('$nothing', 'm.room.topic', '', { origin_server_ts: -1 });
    expect(order('2', byBob, citesNothing, byAlice)).toEqual(['$alice', '$bob', '$nothing']);
    expect(order('12', byBob, citesNothing, byAlice)).toEqual(['$nothing', '$alice', '$bob']);
  });

  it('puts an event after those it cites, however powerful its sender', () => {
    const first = event('$first', 'm.room.topic', '', { sender: bob, auth_events: ['$create'] });
    const second = event('$second', 'm.room.topic', '', { auth_events: ['$create', '$first', '$first'] });
    expect(order('2', second, first)).toEqual(['$first', '$second']);
  });

  it('orders event ids by code point', () => {
    const ids = ['$\u{1F600}', '$\uFFFD', '$a'];
    expect(order('2', ...ids.map((id) => event(id, 'm.room.topic', '')))).toEqual(['$a', '$\uFFFD', '$\u{1F600}']);
  });
});

describe('the mainline ordering', () => {
  const levels = (id: string, cites: readonly string[]): RoomEvent =>
    event(id, 'm.room.power_levels', '', { auth_events: cites });
  const known = [
    levels('$p2', []),
    levels('$p1', ['$p2']),
    levels('$p0', ['$p1']),
    levels('$aside', ['$p1']),
    levels('$elsewhere', []),
    levels('$round', ['$about']),
    levels('$about', ['$round']),
  ];
  const byId = new Map(known.map((one) => [one.eventId, one]));
  const source: ResolutionSource = {
    event: (id) => byId.get(id),
    isRejected: () => false,
    unconflicted: () => null,
  };
  const topic = (id: string, cites: readonly string[], ts = 0): RoomEvent =>
    event(id, 'm.room.topic', id, { auth_events: cites, origin_server_ts: ts });
  const order = (from: string | undefined, ...events: readonly RoomEvent[]): string[] => {
    const start = known.find((one) => one.eventId === from);
    return runSteps(mainlineOrdering(events, start, source), suppliesNothing).map(({ eventId }) => eventId);
  };

  it('goes from the events on the oldest power levels to those on the newest', () => {
    const events = [
      topic('$on0', ['$p0']),
      topic('$on2', ['$p2']),
      topic('$onAside', ['$aside']),
      topic('$on1', ['$p1'], 1),
    ];
    expect(order('$p0', ...events)).toEqual(['$on2', '$onAside', '$on1', '$on0']);
    expect(order('$p0', ...events.toReversed())).toEqual(['$on2', '$onAside', '$on1', '$on0']);
  });

  it('puts first what does not meet the mainline', () => {
    const events = [topic('$on2', ['$p2']), topic('$off', ['$elsewhere'], 9), topic('$none', [], 8)];
    expect(order('$p0', ...events)).toEqual(['$none', '$off', '$on2']);
  });

  it('is by time and event id without power levels', () => {
    const events = [topic('$c', ['$p0'], 1), topic('$b', ['$p2'], 2), topic('$a', [], 2)];
    expect(order(undefined, ...events)).toEqual(['$c', '$a', '$b']);
  });

  it('does not count the event itself', () => {
    expect(order('$p0', levels('$p1', ['$p2']), topic('$on1', ['$p1']))).toEqual(['$p1', '$on1']);
  });

  it('ends although events of room version 1 cite each other in a circle', () => {
    expect(order('$round', topic('$b', ['$p0'], 2), topic('$a', ['$about'], 1))).toEqual(['$b', '$a']);
    expect(order('$p0', topic('$a', ['$about'], 1))).toEqual(['$a']);
  });
});
