import { expect, it } from 'vitest';
import { contentHash } from '../../../src/matrix/crypto/content-hash.ts';
import { signEvent } from '../../../src/matrix/crypto/finish-event.ts';
import { eventId } from '../../../src/matrix/crypto/reference-hash.ts';
import type { EventId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { alice, far, FarRoom, keyOf } from './support/far-room.ts';
import { NearServer } from './support/near-server.ts';

describeOnBothEngines('an event whose state key has more than 255 bytes but fewer characters', (engine) => {
  const made = (room: FarRoom) => {
    const small = room.add({ type: 'org.example.large', stateKey: '', sender: alice, content: {} });
    room.events.delete(small.event.eventId);
    room.order.pop();
    const { hashes: _hashes, signatures: _signatures, ...unsigned } = small.pdu;
    const large: JsonObject = { ...unsigned, state_key: '💥'.repeat(70) };
    const hashed = { ...large, hashes: { sha256: contentHash(large, room.rules) } };
    const pdu = signEvent(hashed, far, keyOf(far), room.rules);
    return { pdu, eventId: eventId(pdu, room.rules) };
  };

  const authOf = (room: FarRoom): EventId[] =>
    room.order.flatMap(({ event: { eventId: id, type, stateKey } }) =>
      type === 'm.room.create' || type === 'm.room.power_levels' || stateKey === alice ? [id] : [],
    );

  it.each(['6', '10'])('is rejected and keeps nothing else out in room version %s', async (version) => {
    const room = FarRoom.withMembers(version);
    const server = new NearServer(await engine.open(), room);
    await server.take(room);
    const large = made(room);
    expect(await server.send([large])).toEqual({ [large.eventId]: expect.stringMatching(/255 bytes/) });
    const next = room.say(alice, 'after', { prev: [large.eventId], auth: authOf(room) });
    expect(await server.send([next])).toEqual({ [next.event.eventId]: null });
    expect(await server.messages(room)).toEqual(['after']);
    expect(room.asked).toEqual([]);
    await server.close();
  });

  it('is dropped from room version 11 on', async () => {
    const room = FarRoom.withMembers('11');
    const server = new NearServer(await engine.open(), room);
    await server.take(room);
    const large = made(room);
    expect(await server.send([large])).toEqual({ [large.eventId]: expect.stringMatching(/255 bytes/) });
    const next = room.say(alice, 'after', { prev: [large.eventId] });
    await server.send([next]);
    await server.settled();
    expect(await server.messages(room)).toEqual([]);
    await server.close();
  });
});
