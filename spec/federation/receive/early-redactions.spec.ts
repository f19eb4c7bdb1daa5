import { expect, it } from 'vitest';
import type { EventId, UserId } from '../../../src/matrix/ids/ids.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { alice, eve, FarRoom, other } from './support/far-room.ts';
import { NearServer } from './support/near-server.ts';

describeOnBothEngines('a redaction', (engine) => {
  const start = async (version = '11') => {
    const db = await engine.open();
    const room = FarRoom.withMembers(version);
    const server = new NearServer(db, room);
    await server.take(room);
    return { db, room, server };
  };
  const redacting = (room: FarRoom, sender: UserId, redacts: EventId, prev: EventId) =>
    room.add({ type: 'm.room.redaction', sender, redacts, content: { reason: 'a mistake' } }, { prev: [prev] });
  const eventOf = async (server: NearServer, room: FarRoom, eventId: EventId) =>
    server.test.rooms.event(await server.bob(), room.roomId, eventId);

  it.each(['10', '11'])('takes effect when what it redacts comes after it, in room version %s', async (version) => {
    const { room, server } = await start(version);
    const reader = await server.bob();
    const tip = room.tip;
    const message = room.say(alice, 'a secret', { prev: [tip] });
    const redaction = redacting(room, alice, message.event.eventId, tip);
    const { next_batch: since } = await server.test.syncOnce(reader);
    await server.send([redaction]);
    await server.send([message]);
    expect(await server.messages(room)).toEqual(['(redacted)']);
    const { rooms } = await server.test.syncOnce(reader, since);
    expect(JSON.stringify(rooms)).not.toContain('a secret');
    expect(await eventOf(server, room, message.event.eventId)).toMatchObject({
      content: {},
      unsigned: { redacted_because: { event_id: redaction.event.eventId, content: { reason: 'a mistake' } } },
    });
    // Nothing waits any more.
    expect(await server.db.dynamic((q) => q.selectFrom('waiting_redaction').select('nid'))).toEqual([]);
    expect(server.failures).toEqual([]);
    await server.close();
  });

  it('takes effect on what comes with it, in any order', async () => {
    const { room, server } = await start();
    const tip = room.tip;
    const first = room.say(alice, 'a secret', { prev: [tip] });
    const afterwards = redacting(room, alice, first.event.eventId, first.event.eventId);
    const second = room.say(alice, 'another secret', { prev: [tip] });
    const before = redacting(room, alice, second.event.eventId, tip);
    await server.send([first, afterwards, before, second]);
    expect(await server.messages(room)).toEqual(['(redacted)', '(redacted)']);
    await server.close();
  });

  it('takes effect after a restart', async () => {
    const { db, room, server } = await start();
    const tip = room.tip;
    const message = room.say(alice, 'a secret', { prev: [tip] });
    await server.send([redacting(room, alice, message.event.eventId, tip)]);
    await server.close();
    const restarted = new NearServer(db, room);
    await restarted.send([message], { txnId: 'after' });
    expect(await restarted.messages(room)).toEqual(['(redacted)']);
    await restarted.close();
  });

  it('has none where its sender may not redact, and leaves that to who may', async () => {
    const { room, server } = await start();
    const tip = room.tip;
    const [kept, taken] = ['kept', 'taken'].map((text) => room.say(alice, text, { prev: [tip] }));
    const byEve = [kept, taken].map((message) => redacting(room, eve, message!.event.eventId, tip));
    const byAlice = redacting(room, alice, taken!.event.eventId, tip);
    await server.send([...byEve, byAlice], { origin: other });
    await server.send([kept!, taken!]);
    expect(await server.messages(room)).toEqual(['kept', '(redacted)']);
    expect(await eventOf(server, room, taken!.event.eventId)).toMatchObject({
      unsigned: { redacted_because: { sender: alice } },
    });
    await server.close();
  });

  it('takes effect by the power levels that it cites, whatever they are by then', async () => {
    const { room, server } = await start();
    const tip = room.tip;
    const levels = (users: Record<string, number>, prev: EventId) =>
      room.add({ type: 'm.room.power_levels', stateKey: '', sender: alice, content: { users } }, { prev: [prev] });
    const raised = levels({ [alice]: 100, [eve]: 50 }, tip);
    const [first, second, third] = ['first', 'second', 'third'].map((text) =>
      room.say(alice, text, { prev: [raised.event.eventId] }),
    );
    const [byEve, early] = [first, third].map((message) =>
      redacting(room, eve, message!.event.eventId, raised.event.eventId),
    );
    const lowered = levels({ [alice]: 100 }, raised.event.eventId);
    const afterwards = redacting(room, eve, second!.event.eventId, lowered.event.eventId);
    await server.send([raised, first!, second!, lowered]);
    await server.send([early!, byEve!, afterwards], { origin: other });
    await server.send([third!]);
    expect(await server.messages(room)).toEqual(['(redacted)', 'second', '(redacted)']);
    await server.close();
  });

  it.each(['10', '11'])('takes effect when it was redacted before it came, in room version %s', async (version) => {
    const { room, server } = await start(version);
    const tip = room.tip;
    const message = room.say(eve, 'a secret', { prev: [tip] });
    const redaction = redacting(room, eve, message.event.eventId, message.event.eventId);
    const ofRedaction = redacting(room, alice, redaction.event.eventId, message.event.eventId);
    await server.send([message], { origin: other });
    await server.send([ofRedaction]);
    await server.send([redaction], { origin: other });
    expect(await server.messages(room)).toEqual(['(redacted)']);
    const redacted = await eventOf(server, room, redaction.event.eventId);
    expect(redacted['content']).not.toHaveProperty('reason');
    await server.close();
  });

  it('takes effect on state, without a trace of it in the room', async () => {
    const { room, server } = await start();
    const tip = room.tip;
    const topic = { type: 'm.room.topic', stateKey: '', sender: alice, content: { topic: 'a secret' } };
    const state = room.add(topic, { prev: [tip] });
    await server.send([redacting(room, alice, state.event.eventId, tip)]);
    await server.send([state]);
    const known = await server.test.state(await server.bob(), room.roomId);
    expect(known.find(({ type }) => type === 'm.room.topic')?.content).toEqual({});
    await server.close();
  });

  it('takes effect on history that is fetched later', async () => {
    const db = await engine.open();
    const room = FarRoom.withMembers();
    const server = new NearServer(db, room, { fetchesHistory: true });
    const secret = room.say(alice, 'a secret');
    room.say(alice, 'old');
    const rejoin = room.join('@bob:near.example' as UserId);
    await server.joinWith(room, rejoin);
    await server.send([redacting(room, alice, secret.event.eventId, room.tip)]);
    expect(await server.messages(room)).toEqual(['(redacted)', 'old']);
    expect(await eventOf(server, room, secret.event.eventId)).toMatchObject({ content: {} });
    await server.close();
  });
});
