import { expect, it } from 'vitest';
import { limits } from '../../../src/platform/limits.ts';
import { describeOnBothEngines, type TestEngine } from '../../support/databases.ts';
import { verifyRoom } from '../../../src/rooms/dag/verify-room.ts';
import { alice, bob, eve, far, FarRoom, other } from './support/far-room.ts';
import { NearServer } from './support/near-server.ts';

const start = async (engine: TestEngine) => {
  const db = await engine.open({ reopenable: true });
  const room = FarRoom.withMembers();
  const server = new NearServer(db, room);
  await server.take(room);
  const isSound = async () => expect(await verifyRoom(server.db, room.roomId)).toMatchObject({ problems: [] });
  return { db, room, server, isSound };
};
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `message ${i}`);

describeOnBothEngines('events whose parents are not known', (engine) => {
  it('are acknowledged, and come with what is missing', async () => {
    const { room, server, isSound } = await start(engine);
    const sent = room.chain(alice, 100);
    const last = sent.at(-1)!;
    expect(await server.send([last])).toEqual({ [last.event.eventId]: null });
    await server.settled();
    expect(await server.messages(room)).toEqual(numbered(100));
    expect(await server.staged(room)).toEqual([]);
    expect(await server.extremities(room)).toEqual([room.tip]);
    expect(room.asked.some((question) => question.startsWith('state'))).toBe(false);
    await isSound();
    await server.close();
  });

  it('come after a gap that is not filled with the state behind it', async () => {
    const { room, server, isSound } = await start(engine);
    room.chain(alice, 5, 'early');
    room.add({ type: 'm.room.name', stateKey: '', sender: alice, content: { name: 'in the gap' } });
    for (const { event } of room.order.slice(6)) room.tooOld.add(event.eventId);
    const late = room.chain(alice, 30, 'late').at(-1)!;
    await server.send([late]);
    await server.settled();
    const name = (await server.test.state(await server.bob(), room.roomId)).find(({ type }) => type === 'm.room.name');
    expect(name?.content).toEqual({ name: 'in the gap' });
    expect(await server.messages(room)).toEqual(Array.from({ length: 30 }, (_, i) => `late ${i}`));
    expect(room.asked.some((question) => question.startsWith('state_ids'))).toBe(true);
    // now the room goes on as ever
    const asked = room.asked.length;
    await server.send([room.say(eve, 'after', { prev: [...(await server.extremities(room))] })], { origin: other });
    expect((await server.messages(room)).at(-1)).toBe('after');
    expect(room.asked.length).toBe(asked);
    await isSound();
    expect(server.failures).toEqual([]);
    await server.close();
  });

  it('wait on disk while nobody answers, also over a restart, and come in when somebody does', async () => {
    const { db, room, server } = await start(engine);
    const sent = room.chain(alice, 10);
    room.silent.add(far).add(other);
    await server.send(sent.slice(5));
    await server.settled();
    expect(await server.staged(room)).toHaveLength(5);
    expect(await server.messages(room)).toEqual([]);
    await server.close();
    const restarted = new NearServer(await engine.reopen(db), room);
    await restarted.receiving.resume();
    await restarted.settled();
    expect(await restarted.staged(room)).toHaveLength(5);
    room.silent.clear();
    await restarted.ports.advance(limits.stagedRetryMs);
    await restarted.settled();
    expect(await restarted.messages(room)).toEqual(numbered(10));
    expect(await restarted.staged(room)).toEqual([]);
    await restarted.close();
  });

  it('are taken when what they wait for comes by itself', async () => {
    const { room, server } = await start(engine);
    const sent = room.chain(alice, 10);
    room.silent.add(far).add(other);
    await server.send(sent.slice(5));
    await server.settled();
    await server.send(sent.slice(0, 5));
    await server.settled();
    expect(await server.messages(room)).toEqual(numbered(10));
    expect(await server.staged(room)).toEqual([]);
    await server.close();
  });

  it('are asked for elsewhere when the sender does not have them', async () => {
    const { room, server } = await start(engine);
    const sent = room.chain(alice, 10);
    room.silent.add(far);
    await server.send(sent.slice(9));
    await server.settled();
    expect(await server.messages(room)).toEqual(numbered(10));
    await server.close();
  });

  it('are given up after a while when nobody has what they refer to', async () => {
    const { room, server } = await start(engine);
    const [hidden] = room.chain(alice, 1);
    room.withheld.add(hidden!.event.eventId);
    await server.send([room.say(alice, 'on something hidden')]);
    await server.settled();
    expect(await server.staged(room)).toHaveLength(1);
    const before = room.asked.length;
    for (let i = 0; i < 30; i++) {
      await server.ports.advance(limits.stagedRetryMsMax);
      await server.settled();
    }
    expect(await server.staged(room)).toEqual([]);
    expect(server.notices).toHaveLength(1);
    expect(room.asked.length - before).toBeLessThan(limits.stagedPduTriesMax * 20);
    expect(server.ports.timerCount).toBeLessThan(10);
    expect(server.failures).toEqual([]);
    await server.close();
  });

  it('that are built on a forged event do not bring it in', async () => {
    const { room, server } = await start(engine);
    const forged = room.say(alice, 'forged');
    Object.assign(forged.pdu, { signatures: { [far]: { 'ed25519:k': 'AAAA' } } });
    await server.send([room.say(eve, 'on it')], { origin: other });
    await server.settled();
    expect(await server.messages(room)).toEqual([]);
    expect(await server.staged(room)).toHaveLength(1);
    await server.close();
  });

  it('come in although their auth events are not known either', async () => {
    const { room, server } = await start(engine);
    const hidden = room.add({
      type: 'm.room.power_levels',
      stateKey: '',
      sender: alice,
      content: { users: { [alice]: 100, [eve]: 50 } },
    });
    const topic = room.add({ type: 'm.room.topic', stateKey: '', sender: eve, content: { topic: 'of eve' } });
    expect(topic.event.authEvents).toContain(hidden.event.eventId);
    await server.send([topic], { origin: other });
    await server.settled();
    const state = await server.test.state(await server.bob(), room.roomId);
    expect(state.find(({ type }) => type === 'm.room.topic')?.content).toEqual({ topic: 'of eve' });
    await server.close();
  });

  it('come soon after a long absence: what lies far back is left for whoever reads it', async () => {
    const { room, server, isSound } = await start(engine);
    const rename = (i: number) =>
      room.add({
        type: 'm.room.member',
        stateKey: alice,
        sender: alice,
        content: { membership: 'join', displayname: `${i}` },
      });
    for (let i = 0; i < limits.gapFetchesMax + 50; i++) rename(i);
    for (const { event } of room.order.slice(6)) room.tooOld.add(event.eventId);
    room.givesNoAuthChains = true;
    const renamed = rename(1_000);
    const last = room.say(alice, 'the newest');
    await server.send([last]);
    await server.settled();
    expect(await server.messages(room)).toEqual(['the newest']);
    expect(await server.staged(room)).toEqual([]);
    const state = await server.test.state(await server.bob(), room.roomId);
    expect(state.find(({ state_key: key }) => key === alice)?.event_id).toBe(renamed.event.eventId);
    await isSound();
    await server.close();
  });

  it('leave few forward extremities, however many branches there are', async () => {
    const { room, server, isSound } = await start(engine);
    const base = room.tip;
    const branches = Array.from({ length: 40 }, (_, i) => room.say(alice, `branch ${i}`, { prev: [base] }));
    await server.send(branches);
    const merged = room.say(alice, 'merged', { prev: branches.slice(0, 20).map(({ event }) => event.eventId) });
    await server.send([merged]);
    await server.settled();
    expect((await server.messages(room)).length).toBe(41);
    expect((await server.extremities(room)).length).toBeLessThanOrEqual(21);
    await isSound();
    await server.close();
  });

  it('are bounded in number for each server', async () => {
    const { room, server } = await start(engine);
    room.silent.add(far).add(other);
    const lonely = () => {
      const hidden = room.say(alice, 'hidden');
      return room.say(alice, 'lonely', { prev: [hidden.event.eventId] });
    };
    let refused = 0;
    for (let i = 0; i < 7; i++) {
      const answer = await server.send(Array.from({ length: 50 }, lonely));
      refused += Object.values(answer).filter((error) => error !== null).length;
    }
    expect(refused).toBe(350 - limits.stagedPdusPerServerMax);
    await server.close();
    expect(await server.staged(room)).toHaveLength(limits.stagedPdusPerServerMax);
  });

  it('are judged again when their parents come after the state was handed in', async () => {
    const { room, server, isSound } = await start(engine);
    // another server hands in a state in which eve is not there
    const parent = room.say(alice, 'parent');
    const said = room.say(eve, 'of eve', { prev: [parent.event.eventId] });
    const lying = room.remoteRooms();
    const withoutEve = { ...lying };
    withoutEve.missingEvents = async () => [];
    withoutEve.stateIds = async (origin, at) => {
      const honest = await lying.stateIds(origin, at);
      const joined = room.events.get(parent.event.eventId)!.before.get(`m.room.member\0${eve}`);
      return { ...honest, stateIds: honest.stateIds.filter((id) => id !== joined) };
    };
    await server.close();
    const misled = new NearServer(server.db, room, { remoteRooms: withoutEve });
    await misled.send([said], { origin: other });
    await misled.settled();
    expect(await misled.messages(room)).toEqual([]);
    await misled.send([parent]);
    await misled.settled();
    expect((await misled.messages(room)).toSorted()).toEqual(['of eve', 'parent']);
    await isSound();
    expect(
      await misled.test.ctx.dags.open(room.roomId).then((dag) => dag.currentEvent('m.room.member', bob)),
    ).toBeDefined();
    await misled.close();
  });
});
