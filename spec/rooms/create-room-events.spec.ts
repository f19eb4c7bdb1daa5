import { describe, expect, it } from 'vitest';
import type { UserId } from '../../src/matrix/ids/ids.ts';
import { type JsonObject, isJsonObject } from '../../src/matrix/json/json-value.ts';
import { findRoomVersion } from '../../src/matrix/room-versions/table.ts';
import { type CreateRoomRequest, createRoomEvents } from '../../src/rooms/create-room-events.ts';

const [creator, bob, carol] = ['@creator:test', '@bob:test', '@carol:test'] as UserId[] as [UserId, UserId, UserId];

function eventsOf(version: string, request: Partial<CreateRoomRequest> = {}) {
  const rules = findRoomVersion(version);
  if (rules === undefined) throw new Error(`no room version ${version}`);
  const whole: CreateRoomRequest = {
    visibility: 'private',
    preset: undefined,
    roomVersion: rules.version,
    name: undefined,
    topic: undefined,
    alias: undefined,
    invite: [],
    isDirect: false,
    creationContent: {},
    initialState: [],
    powerLevelContentOverride: {},
    encryption: 'byDefault',
    ...request,
  };
  return createRoomEvents(whole, creator, { displayname: 'C' }, rules, 'off');
}
function contentOf(type: string, version: string, request: Partial<CreateRoomRequest> = {}): JsonObject | undefined {
  return eventsOf(version, request).find((event) => event.type === type)?.content;
}

function tombstoneLevel(version: string, powerLevelContentOverride: JsonObject): unknown {
  const events = contentOf('m.room.power_levels', version, { powerLevelContentOverride })?.['events'];
  return isJsonObject(events) ? events['m.room.tombstone'] : undefined;
}

describe('the create event', () => {
  it.each(['1', '10'])('names the creator in its content (room version %s)', (version) => {
    expect(contentOf('m.room.create', version)).toEqual({ creator, room_version: version });
  });
  it.each(['11', '12'])('leaves the creator to its sender (room version %s)', (version) => {
    expect(contentOf('m.room.create', version)).toEqual({ room_version: version });
  });
  it('takes further keys, and neither creator nor version from the client', () => {
    const creationContent = { type: 'm.space', 'm.federate': false, creator: bob, room_version: '3' };
    expect(contentOf('m.room.create', '10', { creationContent })).toEqual({
      type: 'm.space',
      'm.federate': false,
      creator,
      room_version: '10',
    });
    expect(contentOf('m.room.create', '11', { creationContent })).not.toHaveProperty('creator');
  });
  it('makes creators of whom the client names, and in a trusted private chat of those invited, each once', () => {
    const creationContent = { additional_creators: [carol, bob, carol, creator] };
    expect(contentOf('m.room.create', '12', { creationContent })?.['additional_creators']).toEqual([carol, bob]);
    const trusted = { preset: 'trusted_private_chat', invite: [bob] } as const;
    expect(contentOf('m.room.create', '12', trusted)?.['additional_creators']).toEqual([bob]);
    expect(contentOf('m.room.create', '12', { ...trusted, creationContent })?.['additional_creators']).toEqual([
      carol,
      bob,
    ]);
    expect(contentOf('m.room.create', '12', { ...trusted, invite: [] })).not.toHaveProperty('additional_creators');
    expect(contentOf('m.room.create', '12', { preset: 'private_chat', invite: [bob] })).not.toHaveProperty(
      'additional_creators',
    );
  });
  it('leaves additional_creators alone where the room version knows none', () => {
    const creationContent = { additional_creators: 'whatever' };
    expect(contentOf('m.room.create', '11', { creationContent })).toMatchObject(creationContent);
  });
  it.each([['text'], [[7]], [{ [bob]: true }]])(
    'refuses additional_creators that are no list of users: %j',
    (value) => {
      expect(() => eventsOf('12', { creationContent: { additional_creators: value as never } })).toThrow(
        expect.objectContaining({ errcode: 'M_BAD_JSON', status: 400 }),
      );
    },
  );
});

describe('the power levels', () => {
  it('give the creator 100, and in a trusted private chat those invited too, before room version 12', () => {
    expect(contentOf('m.room.power_levels', '11')?.['users']).toEqual({ [creator]: 100 });
    const trusted = { preset: 'trusted_private_chat', invite: [bob] } as const;
    expect(contentOf('m.room.power_levels', '11', trusted)?.['users']).toEqual({ [creator]: 100, [bob]: 100 });
    expect(contentOf('m.room.power_levels', '12', trusted)?.['users']).toEqual({});
  });
  it('may be overridden key by key', () => {
    const powerLevelContentOverride = { users: { [bob]: 50 }, invite: 7, 'org.example': 1 };
    expect(contentOf('m.room.power_levels', '12', { powerLevelContentOverride })).toMatchObject({
      users: { [bob]: 50 },
      invite: 7,
      ban: 50,
      'org.example': 1,
    });
  });
  it.each([creator, bob])('must not name a creator in room version 12: %s', (named) => {
    const request = {
      creationContent: { additional_creators: [bob] },
      powerLevelContentOverride: { users: { [named]: 100 } },
    };
    expect(() => eventsOf('12', request)).toThrow(expect.objectContaining({ errcode: 'M_BAD_JSON', status: 400 }));
    expect(contentOf('m.room.power_levels', '11', request)?.['users']).toEqual({ [named]: 100 });
  });
  it('keep the tombstone above state_default in room version 12, whatever else is overridden', () => {
    const tombstone = (override: JsonObject) => tombstoneLevel('12', override);
    expect(tombstone({})).toBe(150);
    expect(tombstone({ events: { 'm.room.name': 10 } })).toBe(150);
    expect(tombstone({ state_default: 200 })).toBe(201);
    expect(tombstone({ state_default: 200, events: { 'm.room.name': 10 } })).toBe(201);
    expect(tombstone({ events: { 'm.room.tombstone': 60 } })).toBe(60);
    expect(tombstoneLevel('11', {})).toBe(100);
  });
  it('let everybody invite into what is not public', () => {
    expect(contentOf('m.room.power_levels', '12', { preset: 'private_chat' })?.['invite']).toBe(0);
    expect(contentOf('m.room.power_levels', '12', { preset: 'public_chat' })?.['invite']).toBe(50);
  });
});

describe('presets and what goes before them', () => {
  it.each([
    ['private_chat', 'private', 'invite', 'can_join'],
    ['trusted_private_chat', 'private', 'invite', 'can_join'],
    ['public_chat', 'private', 'public', undefined],
    [undefined, 'private', 'invite', 'can_join'],
    [undefined, 'public', 'public', undefined],
  ] as const)('%s with visibility %s', (preset, visibility, joinRule, guestAccess) => {
    expect(contentOf('m.room.join_rules', '12', { preset, visibility })).toEqual({ join_rule: joinRule });
    expect(contentOf('m.room.guest_access', '12', { preset, visibility })).toEqual(
      guestAccess === undefined ? undefined : { guest_access: guestAccess },
    );
    expect(contentOf('m.room.history_visibility', '12', { preset, visibility })).toEqual({
      history_visibility: 'shared',
    });
  });
  it('sends each state once: name and topic before initial_state, initial_state before the preset', () => {
    const events = eventsOf('12', {
      name: 'N',
      topic: 'T',
      initialState: [
        { type: 'm.room.topic', stateKey: '', content: { topic: 'other' } },
        { type: 'm.room.join_rules', stateKey: '', content: { join_rule: 'knock' } },
        { type: 'm.room.join_rules', stateKey: 'other', content: {} },
      ],
    });
    const of = (type: string) => events.filter((event) => event.type === type);
    expect(of('m.room.topic').map((event) => event.content)).toEqual([
      { topic: 'T', 'm.topic': { 'm.text': [{ body: 'T' }] } },
    ]);
    expect(of('m.room.join_rules').map((event) => event.stateKey)).toEqual(['', 'other']);
    expect(of('m.room.join_rules')[0]?.content).toEqual({ join_rule: 'knock' });
  });
  it('refuses a second create event', () => {
    const initialState = [{ type: 'm.room.create', stateKey: '', content: {} }];
    expect(() => eventsOf('12', { initialState })).toThrow(expect.objectContaining({ errcode: 'M_BAD_JSON' }));
  });
});
