import { describe, expect, test } from 'vitest';
import { roomEventFromPdu } from '../../../src/matrix/events/room-event-from-pdu.ts';
import type { EventId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { parseJson } from '../../../src/matrix/json/parse-json.ts';
import { roomVersions } from '../../../src/matrix/room-versions/table.ts';

const pdu: JsonObject = {
  auth_events: ['$a'],
  content: {},
  depth: 5,
  origin_server_ts: 7,
  prev_events: ['$b', '$c'],
  room_id: '!room:example.org',
  sender: '@alice:example.org',
  type: 'm.room.message',
};

describe('roomEventFromPdu', () => {
  test('takes the id that is given, or computes it', () => {
    expect(roomEventFromPdu(pdu, roomVersions['11'], '$x' as EventId)).toEqual({
      eventId: '$x',
      roomId: '!room:example.org',
      type: 'm.room.message',
      stateKey: undefined,
      sender: '@alice:example.org',
      content: {},
      originServerTs: 7,
      depth: 5,
      prevEvents: ['$b', '$c'],
      authEvents: ['$a'],
      redacts: undefined,
      pdu,
    });
    expect(roomEventFromPdu(pdu, roomVersions['11']).eventId).toMatch(/^\$[A-Za-z0-9_-]{43}$/);
  });

  test('brings references to one form', () => {
    const old = { ...pdu, event_id: '$x:y', auth_events: [['$a:b', { sha256: 'h' }]], prev_events: [] };
    const event = roomEventFromPdu(old, roomVersions['1']);
    expect([event.eventId, event.authEvents, event.prevEvents]).toEqual(['$x:y', ['$a:b'], []]);
  });

  test('finds what a redaction names where its room version has it', () => {
    const both = { ...pdu, type: 'm.room.redaction', redacts: '$top', content: { redacts: '$content' } };
    const redacts = (value: JsonObject, version: '10' | '11') =>
      roomEventFromPdu(value, roomVersions[version], '$x' as EventId).redacts;
    expect([redacts(both, '10'), redacts(both, '11')]).toEqual(['$top', '$content']);
    expect([redacts({ ...both, type: 'X' }, '10'), redacts({ ...both, content: { redacts: 1 } }, '11')]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('a create event of room version 12 gives the room its id', () => {
    const create = { ...pdu, type: 'm.room.create', state_key: '', room_id: undefined };
    const event = roomEventFromPdu(create, roomVersions['12']);
    expect([event.roomId, event.stateKey]).toEqual([event.eventId.replace('$', '!'), '']);
  });

  test('numbers beyond 2^53 are rounded, the PDU keeps them', () => {
    const deep = parseJson(JSON.stringify(pdu).replace('"depth":5', '"depth":9223372036854775807'), {
      numbers: 'exact',
    });
    const event = roomEventFromPdu(deep as JsonObject, roomVersions['5'], '$x' as EventId);
    expect([event.depth, JSON.stringify(event.pdu['depth'])]).toEqual([2 ** 63, '9223372036854775807']);
  });

  test.each(['type', 'sender', 'room_id', 'content', 'depth', 'origin_server_ts', 'prev_events', 'auth_events'])(
    'throws without %s',
    (key) => {
      expect(() => roomEventFromPdu({ ...pdu, [key]: null }, roomVersions['11'], '$x' as EventId)).toThrow(TypeError);
    },
  );
});
