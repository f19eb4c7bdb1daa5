import { describe, expect, it } from 'vitest';
import type { FederationRequest } from '../../src/federation/contract.ts';
import { FederationError } from '../../src/federation/federation-error.ts';
import { federationPath } from '../../src/federation/federation-path.ts';
import { createRemoteRooms, type RemoteRooms } from '../../src/federation/remote-rooms.ts';
import type { EventId, RoomId, ServerName } from '../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { rawNumber } from '../../src/matrix/json/raw-number.ts';
import { limits } from '../../src/platform/limits.ts';

const server = 'remote.example' as ServerName;
const roomId = '!a/b?c:remote.example' as RoomId;
const eventId = '$event+/id' as EventId;
const at = { roomId, eventId };

function answering(answer: JsonObject): { readonly rooms: RemoteRooms; readonly asked: FederationRequest[] } {
  const asked: FederationRequest[] = [];
  const client = {
    request: (request: FederationRequest) => {
      asked.push(request);
      return Promise.resolve(answer);
    },
    requestBytes: () => Promise.reject(new Error('not asked for')),
  };
  return { rooms: createRemoteRooms(client), asked };
}

const pdu = { type: 'm.room.message', depth: rawNumber('1.0') };

describe('a path of a request', () => {
  it('has every parameter percent-encoded', () => {
    expect(federationPath`/_matrix/federation/v1/event_auth/${roomId}/${eventId}`).toBe(
      '/_matrix/federation/v1/event_auth/!a%2Fb%3Fc%3Aremote.example/%24event%2B%2Fid',
    );
  });
  it('leads nowhere else, whatever a parameter is', () => {
    const path = federationPath`/_matrix/federation/v1/event/${'..'}/x/${'.'}`;
    expect(path).toBe('/_matrix/federation/v1/event/%2E%2E/x/%2E');
    expect(federationPath`/a/${'?b=c#d/../e'}`).toBe('/a/%3Fb%3Dc%23d%2F..%2Fe');
  });
});

describe('what is asked of another server', () => {
  it('an event', async () => {
    const { rooms, asked } = answering({ origin: server, pdus: [pdu] });
    expect(await rooms.getEvent(server, eventId, { isUrgent: true })).toBe(pdu);
    expect(asked).toEqual([
      { destination: server, method: 'GET', path: '/_matrix/federation/v1/event/%24event%2B%2Fid', isUrgent: true },
    ]);
  });
  it('the ids of a state, each once', async () => {
    const { rooms, asked } = answering({ pdu_ids: ['$a', '$b', '$a'], auth_chain_ids: [] });
    expect(await rooms.stateIds(server, at)).toEqual({ stateIds: ['$a', '$b'], authChainIds: [] });
    expect(asked[0]).toMatchObject({ method: 'GET', query: { event_id: eventId } });
  });
  it('a state and an auth chain', async () => {
    const { rooms } = answering({ pdus: [pdu], auth_chain: [pdu, pdu] });
    expect(await rooms.state(server, at)).toEqual({ state: [pdu], authChain: [pdu, pdu] });
    expect(await rooms.eventAuth(server, at)).toEqual([pdu, pdu]);
  });
  it('history', async () => {
    const { rooms, asked } = answering({ pdus: [pdu], events: [pdu] });
    expect(await rooms.backfill(server, { roomId, from: [eventId], limit: 5 })).toEqual([pdu]);
    expect(await rooms.missingEvents(server, { roomId, earliest: [], latest: [eventId], limit: 5 })).toEqual([pdu]);
    expect(asked[0]).toMatchObject({ method: 'GET', query: { v: [eventId], limit: 5 } });
    expect(asked[1]).toMatchObject({
      method: 'POST',
      content: { earliest_events: [], latest_events: [eventId], limit: 5, min_depth: 0 },
    });
  });
  it('the event nearest to a time', async () => {
    const { rooms, asked } = answering({ event_id: '$a', origin_server_ts: 17 });
    const found = await rooms.timestampToEvent(server, { roomId, ts: 12, dir: 'f' });
    expect(found).toEqual({ eventId: '$a', originServerTs: 17 });
    expect(asked[0]).toMatchObject({ query: { ts: 12, dir: 'f' } });
  });
});

describe('an answer that is not what was asked for', () => {
  const history = { roomId, from: [eventId], limit: 5 };
  const tooMany = Array.from({ length: limits.remoteEventsMax + 1 }, () => pdu);
  const calls: readonly [string, JsonObject, (rooms: RemoteRooms) => Promise<unknown>][] = [
    ['no event', { pdus: [] }, (rooms) => rooms.getEvent(server, eventId)],
    ['several events', { pdus: [pdu, pdu] }, (rooms) => rooms.getEvent(server, eventId)],
    ['an event that is a text', { pdus: ['{}'] }, (rooms) => rooms.getEvent(server, eventId)],
    ['an event that is a number', { pdus: [rawNumber('1.0')] }, (rooms) => rooms.getEvent(server, eventId)],
    ['events that are no array', { pdus: { 0: pdu } }, (rooms) => rooms.backfill(server, history)],
    ['nothing', {}, (rooms) => rooms.backfill(server, history)],
    ['too many events', { pdus: tooMany }, (rooms) => rooms.backfill(server, history)],
    ['ids that are none', { pdu_ids: ['a'], auth_chain_ids: [] }, (rooms) => rooms.stateIds(server, at)],
    ['ids that are numbers', { pdu_ids: [], auth_chain_ids: [1] }, (rooms) => rooms.stateIds(server, at)],
    ['half of a state', { pdus: [pdu] }, (rooms) => rooms.state(server, at)],
    [
      'a time that is none',
      { event_id: '$a', origin_server_ts: rawNumber('1.5') },
      (rooms) => rooms.timestampToEvent(server, { roomId, ts: 1, dir: 'b' }),
    ],
    [
      'an event without an id',
      { event_id: null, origin_server_ts: 1 },
      (rooms) => rooms.timestampToEvent(server, { roomId, ts: 1, dir: 'b' }),
    ],
  ];
  it.each(calls)('%s', async (_name, answer, call) => {
    const error = await call(answering(answer).rooms).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FederationError);
    expect(error).toMatchObject({ failure: 'unusable', destination: server });
  });
});
