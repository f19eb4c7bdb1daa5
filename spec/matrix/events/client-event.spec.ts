import { describe, expect, test } from 'vitest';
import {
  pruneToStrippedEvent,
  toClientEvent,
  toStrippedEvent,
  withoutUnsigned,
} from '../../../src/matrix/events/client-event.ts';
import type { EventId, RoomId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';

const eventId = '$event' as EventId;
const roomId = '!room:example.org' as RoomId;
const pdu: JsonObject = {
  auth_events: ['$a'],
  content: { body: 'x' },
  depth: 5,
  hashes: { sha256: 'x' },
  origin: 'example.org',
  origin_server_ts: 1,
  prev_events: ['$b'],
  room_id: roomId,
  sender: '@alice:example.org',
  signatures: {},
  type: 'm.room.message',
  unsigned: { age_ts: 1, 'org.example.secret': true },
};
const rules = roomVersions['12'];

describe('the form for clients', () => {
  test('has what clients need and nothing of the federation format', () => {
    expect(toClientEvent(pdu, { eventId, rules, roomId, unsigned: { age: 3 } })).toEqual({
      content: { body: 'x' },
      event_id: '$event',
      origin_server_ts: 1,
      room_id: roomId,
      sender: '@alice:example.org',
      type: 'm.room.message',
      unsigned: { age: 3 },
    });
  });

  test('leaves the room and unsigned out when they are told elsewhere', () => {
    const event = toClientEvent({ ...pdu, state_key: '' }, { eventId, rules });
    expect(Object.keys(event).sort()).toEqual([
      'content',
      'event_id',
      'origin_server_ts',
      'sender',
      'state_key',
      'type',
    ]);
    expect(event['state_key']).toBe('');
  });

  test.each(Object.values(roomVersions))(
    'names the redacted event in both places, room version $version',
    (version) => {
      const redaction: JsonObject = {
        ...pdu,
        type: 'm.room.redaction',
        ...(version.eventFormat.redactsIn === 'event'
          ? { redacts: '$target', content: { reason: 'x' } }
          : { content: { reason: 'x', redacts: '$target' } }),
      };
      expect(toClientEvent(redaction, { eventId, rules: version })).toMatchObject({
        redacts: '$target',
        content: { reason: 'x', redacts: '$target' },
      });
    },
  );

  test('a field of the other room versions is no target', () => {
    const inContent = { ...pdu, type: 'm.room.redaction', content: { redacts: '$target' } };
    expect(toClientEvent(inContent, { eventId, rules: roomVersions['10'] })).not.toHaveProperty('redacts');
    const onTop = { ...pdu, type: 'm.room.redaction', redacts: '$target' };
    expect(toClientEvent(onTop, { eventId, rules: roomVersions['11'] })).not.toHaveProperty('redacts');
    expect(toClientEvent({ ...pdu, redacts: '$target' }, { eventId, rules: roomVersions['1'] })).not.toHaveProperty(
      'redacts',
    );
  });
});

describe('stripped state', () => {
  const name: JsonObject = { ...pdu, type: 'm.room.name', state_key: '', content: { name: 'x' } };
  const stripped = { content: { name: 'x' }, sender: '@alice:example.org', state_key: '', type: 'm.room.name' };

  test('has four fields', () => {
    expect(toStrippedEvent(name)).toEqual(stripped);
  });

  test('is made of whole and of stripped events that other servers send', () => {
    expect(pruneToStrippedEvent(name)).toEqual(stripped);
    expect(pruneToStrippedEvent(stripped)).toEqual(stripped);
  });

  test.each([null, 'x', [], {}, pdu, { ...name, content: 'x' }, { ...name, sender: 1 }, { ...name, state_key: null }])(
    'is not made of %j',
    (entry) => {
      expect(pruneToStrippedEvent(entry)).toBeUndefined();
    },
  );

  test('other servers get the PDU without what is ours', () => {
    expect(withoutUnsigned(pdu)).not.toHaveProperty('unsigned');
    expect({ ...withoutUnsigned(pdu), unsigned: pdu['unsigned'] }).toEqual(pdu);
  });
});
