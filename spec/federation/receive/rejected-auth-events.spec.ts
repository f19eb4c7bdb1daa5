import { expect, it } from 'vitest';
import { verifyRoom } from '../../../src/rooms/dag/verify-room.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { eve, FarRoom, other } from './support/far-room.ts';
import { NearServer } from './support/near-server.ts';

describeOnBothEngines('events that cite an event which was rejected', (engine) => {
  it('are rejected too, also when it was fetched for them, and keep nothing else out', async () => {
    const db = await engine.open();
    const room = FarRoom.withMembers();
    const server = new NearServer(db, room);
    await server.take(room);
    const create = room.order[0]!.event.eventId;
    const joinRules = room.order.find(({ event }) => event.type === 'm.room.join_rules')!.event.eventId;
    const joined = room.order.find(({ event }) => event.stateKey === eve)!.event.eventId;
    const tip = room.tip;
    const powers = { type: 'm.room.power_levels', stateKey: '', sender: eve, content: { users: {} } };
    const rejected = room.add(powers);
    await server.send([rejected], { origin: other });
    const auth = [create, joinRules, rejected.event.eventId, joined];
    const fetched = room.join(eve, { prev: [tip], auth });
    const cites = [create, rejected.event.eventId, fetched.event.eventId];
    const one = room.say(eve, 'one', { prev: [tip], auth: cites });
    const two = room.say(eve, 'two', { prev: [one.event.eventId], auth: cites });
    const powersId = room.order.find(({ event }) => event.type === 'm.room.power_levels')!.event.eventId;
    const last = room.say(eve, 'last', { prev: [two.event.eventId], auth: [create, powersId, joined] });
    const answer = await server.send([one, two, last], { origin: other });
    await server.settled();
    expect(await server.staged(room)).toEqual([]);
    expect(await server.messages(room)).toEqual(['last']);
    expect(answer[last.event.eventId]).toBeNull();
    expect(await verifyRoom(server.db, room.roomId)).toMatchObject({ problems: [] });
    expect(server.failures).toEqual([]);
    await server.close();
  });
});
