import { expect, it } from 'vitest';
import { describeOnBothEngines, type TestEngine } from '../../support/databases.ts';
import { verifyRoom } from '../../../src/rooms/dag/verify-room.ts';
import { alice, bob, eve, FarRoom, other } from './support/far-room.ts';
import { NearServer } from './support/near-server.ts';

const start = async (engine: TestEngine, version = '11') => {
  const db = await engine.open();
  const room = FarRoom.withMembers(version);
  const server = new NearServer(db, room);
  await server.take(room);
  return { db, room, server };
};

describeOnBothEngines('a transaction of another server', (engine) => {
  it('brings messages to those who sync', async () => {
    const { db, room, server } = await start(engine);
    const reader = await server.bob();
    const { next_batch: since } = await server.test.syncOnce(reader);
    const sent = room.chain(alice, 50);
    expect(await server.send(sent)).toEqual(Object.fromEntries(sent.map(({ event }) => [event.eventId, null])));
    expect(await server.messages(room)).toEqual(sent.map((_, i) => `message ${i}`));
    const { rooms } = await server.test.syncOnce(reader, since);
    expect(rooms?.join?.[room.roomId]?.unread_notifications.notification_count).toBe(50);
    expect(await verifyRoom(db, room.roomId)).toMatchObject({ problems: [] });
    expect(room.asked).toEqual([]);
    await server.close();
  });

  it('is put in order, whatever order it comes in', async () => {
    const { room, server } = await start(engine);
    const sent = room.chain(alice, 20);
    await server.send(sent.toReversed());
    expect(await server.messages(room)).toEqual(sent.map((_, i) => `message ${i}`));
    expect(room.asked).toEqual([]);
    await server.close();
  });

  it('is answered as before when it comes again, and does nothing twice', async () => {
    const { room, server } = await start(engine);
    const [first, second] = room.chain(alice, 2);
    const answer = await server.send([first!], { txnId: 'a' });
    expect(await server.send([second!], { txnId: 'a' })).toEqual(answer);
    expect(await server.send([second!], { txnId: 'a', origin: other })).toEqual({ [second!.event.eventId]: null });
    expect(await server.messages(room)).toEqual(['message 0', 'message 1']);
    await server.close();
    const restarted = new NearServer(server.db, room);
    expect(await restarted.send([second!], { txnId: 'a' })).toEqual(answer);
    await restarted.close();
  });

  it('says of every event that was not taken why', async () => {
    const { room, server } = await start(engine);
    const [good, forged] = room.chain(alice, 2);
    const broken = { pdu: { ...forged!.pdu, signatures: { 'far.example': { 'ed25519:k': 'AAAA' } } } };
    const malformed = { pdu: { ...good!.pdu, depth: 'deep' } };
    const answer = await server.send([good!, broken, malformed]);
    expect(answer[good!.event.eventId]).toBeNull();
    expect(answer[forged!.event.eventId]).toMatch(/signature of far.example/);
    expect(Object.values(answer).filter((error) => error?.includes('depth') === true)).toHaveLength(1);
    expect(await server.messages(room)).toEqual(['message 0']);
    await server.close();
  });

  it('with an event whose content was changed on the way brings the redacted form', async () => {
    const { room, server } = await start(engine);
    const said = room.say(alice, 'true');
    const changed = { ...said.pdu, content: { msgtype: 'm.text', body: 'false' } };
    expect(await server.send([{ pdu: changed }])).toEqual({ [said.event.eventId]: null });
    expect(await server.messages(room)).toEqual(['(redacted)']);
    await server.close();
  });

  it('of a server that may not take part in a room brings nothing', async () => {
    const { room, server } = await start(engine);
    const acl = room.add({
      type: 'm.room.server_acl',
      stateKey: '',
      sender: alice,
      content: { allow: ['*'], deny: [other] },
    });
    await server.send([acl]);
    const [ofAlice, ofEve] = [room.say(alice, 'alice'), room.say(eve, 'eve')];
    expect(await server.send([ofAlice], { origin: other })).toEqual({
      [ofAlice.event.eventId]: expect.stringContaining(other),
    });
    // neither may others bring it
    expect(await server.send([ofAlice, ofEve])).toEqual({
      [ofAlice.event.eventId]: null,
      [ofEve.event.eventId]: expect.stringContaining(other),
    });
    expect(await server.messages(room)).toEqual(['alice']);
    await server.close();
  });

  it('is refused for rooms that nobody here is in', async () => {
    const { room, server } = await start(engine);
    const unknown = FarRoom.withMembers();
    const elsewhere = new FarRoom('11', '!elsewhere:far.example' as typeof unknown.roomId);
    elsewhere.add({ type: 'm.room.create', stateKey: '', sender: alice, content: { room_version: '11' } });
    expect(await server.send([elsewhere.join(alice)])).toEqual({});
    await server.test.rooms.leaveRoom(await server.bob(), { roomId: room.roomId });
    const said = room.say(alice, 'nobody hears');
    expect(await server.send([said])).toEqual({ [said.event.eventId]: expect.stringContaining('not in the room') });
    expect(room.asked).toEqual([]);
    await server.close();
  });

  it('with an event that the rules of the room refuse says so, and keeps it', async () => {
    const { room, server } = await start(engine);
    const denied = room.member(eve, bob, 'ban');
    const answer = await server.send([denied], { origin: other });
    expect(answer[denied.event.eventId]).not.toBeNull();
    expect((await server.test.state(await server.bob(), room.roomId)).length).toBe(6);
    // what builds on it is judged by the state without it
    const said = room.say(alice, 'after', { auth: room.order[3]!.event.authEvents });
    await server.send([said]);
    expect(await server.messages(room)).toEqual(['after']);
    await server.close();
  });

  it('with too many events or EDUs is refused as a whole', async () => {
    const { room, server } = await start(engine);
    await expect(server.send(room.chain(alice, 51))).rejects.toMatchObject({ status: 400, errcode: 'M_BAD_JSON' });
    const edus = Array.from({ length: 101 }, () => ({ edu_type: 'm.typing', content: {} }));
    await expect(server.send([], { edus })).rejects.toMatchObject({ status: 400, errcode: 'M_BAD_JSON' });
    expect(await server.messages(room)).toEqual([]);
    await server.close();
  });
});
