import { expect, it } from 'vitest';
import type { EventId, RoomId } from '../../src/matrix/ids/ids.ts';
import type { JsonValue } from '../../src/matrix/json/json-value.ts';
import type { CreateRoomRequest } from '../../src/rooms/create-room-events.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, type TestUser } from '../support/test-rooms.ts';

const encryption = { algorithm: 'm.megolm.v1.aes-sha2' };

describeOnBothEngines('the events of a user who is erased', (engine) => {
  /** eve makes a room and bob is in it from the start. */
  const start = async (request: Partial<CreateRoomRequest> = {}) => {
    const test = new TestRooms(await engine.open(), testPorts(1));
    const [eve, bob] = [await test.user('eve'), await test.user('bob')];
    const roomId = await test.createRoom(eve, {
      initialState: [{ type: 'm.room.encryption', stateKey: '', content: encryption }],
      powerLevelContentOverride: { users_default: 100 },
      ...request,
    });
    const newcomer = async (name: string): Promise<TestUser> => {
      const user = await test.user(name);
      await test.rooms.joinRoom(user, { roomId });
      return user;
    };
    await test.rooms.joinRoom(bob, { roomId });
    return { test, eve, bob, roomId, newcomer };
  };

  it('are as they were for those who could see them before, and redacted for all others', async () => {
    const { test, eve, bob, roomId, newcomer } = await start();
    const frank = await newcomer('frank');
    await test.rooms.leaveRoom(frank, { roomId });
    await test.setState(eve, roomId, 'm.room.topic', { topic: 'secret of a state' });
    const message = await test.say(eve, roomId, 'secret of a message');
    const carol = await newcomer('carol');
    await test.say(bob, roomId, 'of no secret');
    await test.deactivate(eve, { isErased: true });
    const dave = await newcomer('dave');
    await test.rooms.joinRoom(frank, { roomId });

    for (const reader of [bob, carol])
      for (const [where, text] of Object.entries(await everywhere(test, reader, roomId, message)))
        expect([reader.userId, where, text]).toEqual([reader.userId, where, expect.stringContaining('secret of')]);
    for (const reader of [dave, frank]) {
      const seen = await everywhere(test, reader, roomId, message);
      for (const [where, text] of Object.entries(seen))
        expect([reader.userId, where, text]).toEqual([reader.userId, where, expect.not.stringContaining('secret of')]);
      expect(seen.event).toContain(message);
      expect(seen.messages).toContain('of no secret');
    }
  });

  it('keep what makes the room work', async () => {
    const { test, eve, bob, roomId, newcomer } = await start({ preset: 'public_chat', name: 'secret of a name' });
    await test.deactivate(eve, { isErased: true });
    const dave = await newcomer('dave');
    const state = new Map((await test.state(dave, roomId)).map((event) => [`${event.type} ${event.state_key}`, event]));
    expect(state.get('m.room.encryption ')?.content).toEqual(encryption);
    expect(state.get('m.room.join_rules ')?.content).toEqual({ join_rule: 'public' });
    expect(state.get('m.room.power_levels ')?.content).toMatchObject({ users_default: 100 });
    expect(state.get(`m.room.member ${eve.userId}`)?.content).toEqual({ membership: 'leave' });
    expect(state.get('m.room.name ')?.content).toEqual({});
    await test.say(dave, roomId, 'hello');
    expect((await test.history(bob, roomId, { limit: 1 })).chunk[0]).toMatchObject({ content: { body: 'hello' } });
    expect(await test.rooms.stateEvent(bob, roomId, 'm.room.name', '', 'content')).toEqual({
      name: 'secret of a name',
    });
  });

  it('keep it in state only', async () => {
    const { test, eve, roomId, newcomer } = await start();
    const content = { secret: 'not of the state' };
    const eventId = await test.rooms.sendMessage(eve, { roomId, type: 'm.room.encryption', content });
    await test.deactivate(eve, { isErased: true });
    expect((await test.event(await newcomer('dave'), roomId, eventId)).content).toEqual({});
  });

  it('are not told of by others: neither what was before, nor why something was redacted', async () => {
    const { test, eve, bob, roomId, newcomer } = await start();
    await test.setState(eve, roomId, 'm.room.topic', { topic: 'secret of a state' });
    const topic = await test.setState(bob, roomId, 'm.room.topic', { topic: 'harmless' });
    const harmless = await test.say(bob, roomId, 'harmless');
    await test.rooms.redactEvent(eve, { roomId, eventId: harmless, content: { reason: 'secret of a reason' } });
    await test.deactivate(eve, { isErased: true });
    const dave = await newcomer('dave');
    const [forBob, forDave] = await Promise.all(
      [bob, dave].map(async (reader) => ({
        topic: await test.event(reader, roomId, topic),
        redacted: await test.event(reader, roomId, harmless),
        timeline: (await test.syncOnce(reader)).rooms?.join?.[roomId]?.timeline.events ?? [],
      })),
    );
    expect(forBob?.topic.unsigned).toMatchObject({ prev_content: { topic: 'secret of a state' } });
    expect(forBob?.redacted.unsigned).toMatchObject({
      redacted_because: { content: { reason: 'secret of a reason' } },
    });
    expect(JSON.stringify(forBob?.timeline)).toContain('secret of a reason');
    expect(forDave?.topic.content).toEqual({ topic: 'harmless' });
    expect(forDave?.topic.unsigned).not.toHaveProperty('prev_content');
    expect(forDave?.redacted.unsigned).toMatchObject({
      redacted_because: { sender: eve.userId, type: 'm.room.redaction' },
    });
    expect(JSON.stringify(forDave)).not.toContain('secret of');
  });

  it('are redacted in threads and edits, too', async () => {
    const { test, eve, bob, roomId, newcomer } = await start();
    const root = await test.say(bob, roomId, 'the root');
    const thread = { 'm.relates_to': { rel_type: 'm.thread', event_id: root } };
    const reply = await test.say(eve, roomId, 'secret of a reply', thread);
    const edit = { rel_type: 'm.replace', event_id: reply };
    const edited = { msgtype: 'm.text', body: 'secret of an edit' };
    await test.say(eve, roomId, 'secret of a fallback', { 'm.relates_to': edit, 'm.new_content': edited });
    await test.deactivate(eve, { isErased: true });
    const dave = await newcomer('dave');
    const seenBy = async (reader: TestUser): Promise<string> =>
      JSON.stringify([
        await test.event(reader, roomId, root),
        await test.event(reader, roomId, reply),
        await test.rooms.relations(reader, { roomId, eventId: root, dir: 'b', limit: 10, recurse: true }),
      ]);
    expect(await seenBy(bob)).toContain('secret of an edit');
    expect(await seenBy(bob)).toContain('secret of a reply');
    expect(await seenBy(dave)).toContain(reply);
    expect(await seenBy(dave)).not.toContain('secret of');
  });

  it('stay so after a restart, for everybody as before', async () => {
    const { test, eve, bob, roomId, newcomer } = await start();
    const message = await test.say(eve, roomId, 'secret of a message');
    await test.deactivate(eve, { isErased: true });
    const dave = await newcomer('dave');
    const restarted = test.restarted();
    await restarted.erasedUsers.load();
    expect((await restarted.event(bob, roomId, message)).content).toMatchObject({ body: 'secret of a message' });
    expect((await restarted.event(dave, roomId, message)).content).toEqual({});
    expect(JSON.stringify(await restarted.syncOnce(dave))).not.toContain('secret of');
    expect(JSON.stringify(await restarted.syncOnce(bob))).toContain('secret of');
  });

  it('are whole for all where the account was deactivated without being erased', async () => {
    const { test, eve, roomId, newcomer } = await start();
    const message = await test.say(eve, roomId, 'no secret');
    await test.deactivate(eve, { isErased: false });
    const dave = await newcomer('dave');
    expect((await test.event(dave, roomId, message)).content).toMatchObject({ body: 'no secret' });
  });

  it('are not shown to who is invited', async () => {
    const { test, eve, bob, roomId } = await start({ name: 'secret of a name' });
    const dave = await test.user('dave');
    await test.deactivate(eve, { isErased: true });
    await test.rooms.inviteUser(bob, { roomId, target: dave.userId });
    const stripped = (await test.syncOnce(dave)).rooms?.invite?.[roomId]?.invite_state.events ?? [];
    expect(stripped.find(({ type }) => type === 'm.room.name')).toMatchObject({ sender: eve.userId, content: {} });
    expect(stripped.find(({ type }) => type === 'm.room.encryption')?.content).toEqual(encryption);
    expect(stripped.find(({ type }) => type === 'm.room.member')?.sender).toBe(bob.userId);
  });

  it('are chosen by a filter as the reader gets them', async () => {
    const { test, eve, bob, roomId, newcomer } = await start();
    await test.say(eve, roomId, 'a picture', { url: 'mxc://test/secret' });
    await test.deactivate(eve, { isErased: true });
    const dave = await newcomer('dave');
    const filter = { contains_url: true };
    const urls = async (reader: TestUser) => {
      const page = await test.history(reader, roomId, { filter: JSON.stringify(filter) });
      const answer = await test.syncOnce(reader, undefined, { filter: { room: { timeline: filter } } });
      return [page.chunk.length, answer.rooms?.join?.[roomId]?.timeline.events.length ?? 0];
    };
    expect(await urls(bob)).toEqual([1, 1]);
    expect(await urls(dave)).toEqual([0, 0]);
  });
});

/** What a reader gets of the room, from wherever events come. */
async function everywhere(test: TestRooms, reader: TestUser, roomId: RoomId, message: EventId) {
  const { rooms } = test;
  const text = async (value: JsonValue | Promise<JsonValue>): Promise<string> => JSON.stringify(await value);
  const synced = (await test.syncOnce(reader, undefined, { filter: { room: { timeline: { limit: 50 } } } })).rooms
    ?.join;
  const late = (await test.syncOnce(reader, undefined, { filter: { room: { timeline: { limit: 1 } } } })).rooms?.join;
  return {
    messages: JSON.stringify((await test.history(reader, roomId)).chunk),
    forwards: JSON.stringify((await test.history(reader, roomId, { dir: 'f' })).chunk),
    context: await text(rooms.context(reader, roomId, message, 0, '{"types":["m.room.message"]}')),
    around: await text(rooms.context(reader, roomId, message, 10, undefined)),
    event: await text(rooms.event(reader, roomId, message)),
    state: await text(rooms.state(reader, roomId)),
    stateEvent: await text(rooms.stateEvent(reader, roomId, 'm.room.topic', '', 'event')),
    stateContent: await text(rooms.stateEvent(reader, roomId, 'm.room.topic', '', 'content')),
    timelineOfSync: JSON.stringify(synced?.[roomId]?.timeline),
    stateOfSync: JSON.stringify(late?.[roomId]?.state),
  };
}
