import { describe, expect, it } from 'vitest';
import { MatrixError } from '../../../src/matrix/errors.ts';
import { parseEventFilter, parseRoomEventFilter } from '../../../src/matrix/filters/event-filter.ts';
import { parseSyncFilter } from '../../../src/matrix/filters/sync-filter.ts';
import type { JsonValue } from '../../../src/matrix/json/json-value.ts';

const none = { lazyLoadMembers: false, includeRedundantMembers: false, unreadThreadNotifications: false };

describe('parseSyncFilter', () => {
  it('fills in what an empty filter means', () => {
    expect(parseSyncFilter({})).toEqual({
      eventFormat: 'client',
      presence: {},
      accountData: {},
      room: { includeLeave: false, state: none, timeline: none, ephemeral: none, accountData: none },
    });
  });

  it("reads the specification's example", () => {
    const filter = parseSyncFilter({
      room: {
        state: { types: ['m.room.*'], not_rooms: ['!726s6s6q:example.com'] },
        timeline: { limit: 10, types: ['m.room.message'], not_senders: ['@spam:example.com'] },
        ephemeral: { types: ['m.receipt', 'm.typing'] },
      },
      presence: { types: ['m.presence'], not_senders: ['@alice:example.com'] },
      event_format: 'federation',
      event_fields: ['type', 'content', 'sender'],
    });
    expect(filter.room.timeline).toEqual({
      ...none,
      limit: 10,
      types: ['m.room.message'],
      notSenders: ['@spam:example.com'],
    });
    expect(filter.room.state.notRooms).toEqual(['!726s6s6q:example.com']);
    expect(filter.presence).toEqual({ types: ['m.presence'], notSenders: ['@alice:example.com'] });
    expect(filter.eventFormat).toBe('federation');
    expect(filter.eventFields).toEqual(['type', 'content', 'sender']);
  });

  it('takes null for absent and ignores what it does not know', () => {
    expect(parseSyncFilter({ room: null, presence: { types: null }, 'org.example.extra': 1 })).toEqual(
      parseSyncFilter({}),
    );
  });

  const wrong: readonly JsonValue[] = [
    'text',
    [],
    { presence: 'not_an_object' },
    { account_data: 7 },
    { room: [] },
    { room: { timeline: 'not_an_object' } },
    { room: { state: 'not_an_object' } },
    { room: { ephemeral: 'not_an_object' } },
    { room: { account_data: 'not_an_object' } },
    { room: { rooms: 'not_a_list' } },
    { room: { include_leave: 'yes' } },
    { room: { timeline: { rooms: 'not_a_list' } } },
    { room: { timeline: { not_rooms: 'not_a_list' } } },
    { room: { timeline: { senders: 'not_a_list' } } },
    { room: { timeline: { not_senders: 'not_a_list' } } },
    { room: { timeline: { types: 'not_a_list' } } },
    { room: { timeline: { not_types: 'not_a_list' } } },
    { room: { timeline: { types: [1] } } },
    { room: { timeline: { rooms: ['not_a_room_id'] } } },
    { room: { timeline: { senders: ['not_a_sender_id'] } } },
    { room: { timeline: { limit: -1 } } },
    { room: { timeline: { limit: 1.5 } } },
    { room: { timeline: { contains_url: 'true' } } },
    { room: { state: { lazy_load_members: 1 } } },
    { event_format: 'xml' },
    { event_fields: 'type' },
  ];
  it.each(wrong.map((filter) => [JSON.stringify(filter), filter] as const))('refuses %s', (_text, filter) => {
    let thrown: unknown;
    try {
      parseSyncFilter(filter);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(MatrixError);
    expect(thrown).toMatchObject({ status: 400, errcode: 'M_BAD_JSON' });
  });

  it('does not look at inherited keys', () => {
    expect(parseEventFilter(Object.create({ types: 1 }) as JsonValue, 'filter')).toEqual({});
  });

  it('accepts a limit of 0', () => {
    expect(parseRoomEventFilter({ limit: 0 }, 'filter').limit).toBe(0);
  });
});
