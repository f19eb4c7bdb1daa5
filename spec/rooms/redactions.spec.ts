import { expect, it } from 'vitest';
import type { EventId, ServerName } from '../../src/matrix/ids/ids.ts';
import { LinkedServers } from '../federation/membership/support/linked-rooms.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { type ClientEvent, TestRooms } from '../support/test-rooms.ts';
import { WatchedDatabase } from '../support/watched-database.ts';

describeOnBothEngines('redactions', (engine) => {
  const start = async () => {
    const db = new WatchedDatabase(await engine.open());
    const test = new TestRooms(db, testPorts(1));
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const timeline = async (since: string): Promise<readonly ClientEvent[]> =>
      (await test.syncOnce(bob, since)).rooms?.join?.[roomId]?.timeline.events ?? [];
    return { db, test, alice, bob, roomId, timeline };
  };
  const topic = (roomId: Awaited<ReturnType<typeof start>>['roomId'], text: string) => ({
    roomId,
    type: 'm.room.topic',
    stateKey: '',
    content: { topic: text },
  });

  it('shows nobody the content of a message that was redacted before they asked', async () => {
    const { test, alice, bob, roomId, timeline } = await start();
    const { next_batch: since } = await test.syncOnce(bob);
    const eventId = await test.say(alice, roomId, 'a secret');
    const redactionId = await test.rooms.redactEvent(alice, { roomId, eventId, content: {} });
    const [message, redaction] = await timeline(since);
    expect(message).toMatchObject({ event_id: eventId, content: {} });
    expect(message?.unsigned?.['redacted_because']).toMatchObject({ event_id: redactionId });
    expect(redaction).toMatchObject({ event_id: redactionId, redacts: eventId, content: { redacts: eventId } });
  });

  it('does not remember what was read while the redaction was on its way', async () => {
    const { db, test, alice, bob, roomId } = await start();
    const eventId = await test.say(alice, roomId, 'a secret');
    const held = db.holdNext('timeline.newestOfRooms');
    const reading = test.syncOnce(bob);
    await held.reached;
    await test.rooms.redactEvent(alice, { roomId, eventId, content: {} });
    held.release();
    await reading;
    expect(JSON.stringify(await test.syncOnce(bob))).not.toContain('a secret');
  });

  it('takes a redacted state out of previous contents, and out of what an invite shows', async () => {
    const { test, alice, bob, roomId, timeline } = await start();
    const first = await test.rooms.sendState(alice, topic(roomId, 'a secret'));
    const { next_batch: since } = await test.syncOnce(bob);
    await test.rooms.sendState(alice, topic(roomId, 'harmless'));
    expect((await timeline(since))[0]?.unsigned).toMatchObject({
      prev_content: { topic: 'a secret' },
      replaces_state: first,
    });
    await test.rooms.redactEvent(alice, { roomId, eventId: first, content: {} });
    expect((await timeline(since))[0]?.unsigned).toMatchObject({ prev_content: {}, replaces_state: first });

    const second = (await test.rooms.stateEvent(alice, roomId, 'm.room.topic', '', 'event'))['event_id'] as EventId;
    await test.rooms.redactEvent(alice, { roomId, eventId: second, content: {} });
    const carol = await test.user('carol');
    await test.rooms.inviteUser(alice, { roomId, target: carol.userId });
    const { invite_state: shown } = (await test.syncOnce(carol)).rooms?.invite?.[roomId] ?? {};
    expect(shown?.events.find((event) => event.type === 'm.room.topic')?.content).toEqual({});
  });

  it('shows a redaction that was redacted itself without its reason', async () => {
    const { test, alice, bob, roomId, timeline } = await start();
    const { next_batch: since } = await test.syncOnce(bob);
    const eventId = await test.say(alice, roomId, 'one');
    const redactionId = await test.rooms.redactEvent(alice, { roomId, eventId, content: { reason: 'a secret' } });
    expect((await timeline(since))[0]?.unsigned?.['redacted_because']).toMatchObject({
      content: { reason: 'a secret' },
    });
    await test.rooms.redactEvent(alice, { roomId, eventId: redactionId, content: {} });
    expect(JSON.stringify(await timeline(since))).not.toContain('a secret');
  });

  it('counts no redacted message as unread, and takes its highlights back', async () => {
    const { test, alice, bob, roomId } = await start();
    const { next_batch: since } = await test.syncOnce(bob);
    const counts = async () => (await test.syncOnce(bob, since)).rooms?.join?.[roomId]?.unread_notifications;
    const mention = await test.say(alice, roomId, 'bob!', { 'm.mentions': { user_ids: [bob.userId] } });
    const toAll = await test.say(alice, roomId, 'all!', { 'm.mentions': { room: true } });
    await test.say(alice, roomId, 'three');
    expect(await counts()).toEqual({ notification_count: 3, highlight_count: 2 });
    await test.rooms.redactEvent(alice, { roomId, eventId: mention, content: {} });
    expect(await counts()).toEqual({ notification_count: 2, highlight_count: 1 });
    await test.rooms.redactEvent(alice, { roomId, eventId: toAll, content: {} });
    expect(await counts()).toEqual({ notification_count: 1, highlight_count: 0 });
    // A second redaction of the same event takes nothing more away.
    await test.rooms.redactEvent(alice, { roomId, eventId: toAll, content: {} });
    expect(await counts()).toEqual({ notification_count: 1, highlight_count: 0 });
  });

  it.each(['10', '11'])(
    'moves what a client names in the content of a redaction (room version %s)',
    async (version) => {
      const { test, alice } = await start();
      const rules = test.rooms.roomVersion(version);
      const roomId = await test.createRoom(alice, { roomVersion: rules.version });
      const eventId = await test.say(alice, roomId, 'one');
      const sent = await test.rooms.sendMessage(alice, {
        roomId,
        type: 'm.room.redaction',
        content: { redacts: eventId, reason: 'why not' },
      });
      const row = await test.rooms.event(alice, roomId, sent);
      expect(row).toMatchObject({ redacts: eventId, content: { redacts: eventId, reason: 'why not' } });
      expect((await test.storedEvent(sent)).pdu['content']).toEqual(
        version === '10' ? { reason: 'why not' } : { redacts: eventId, reason: 'why not' },
      );
      expect(await test.rooms.event(alice, roomId, eventId)).toMatchObject({ content: {} });
    },
  );

  it('refuses a redaction of nothing, of nonsense, by strangers, and of what lies in another room', async () => {
    const { test, alice, bob, roomId } = await start();
    const eve = await test.user('eve');
    const eventId = await test.say(alice, roomId, 'one');
    const other = await test.createRoom(alice);
    const send = (content: object) =>
      test.rooms.sendMessage(alice, { roomId, type: 'm.room.redaction', content: content as never });
    await expect(send({})).rejects.toMatchObject({ errcode: 'M_BAD_JSON' });
    await expect(send({ redacts: 7 })).rejects.toMatchObject({ errcode: 'M_BAD_JSON' });
    const redact = (by: typeof alice, inRoom: typeof roomId, target: EventId) =>
      test.rooms.redactEvent(by, { roomId: inRoom, eventId: target, content: {} });
    await expect(redact(bob, roomId, eventId)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    await expect(redact(eve, roomId, eventId)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    await expect(redact(eve, roomId, '$nowhere' as EventId)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    await expect(redact(alice, other, eventId)).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
  });

  it('takes a redaction of what is not known here where others may know it, by whoever may redact anything', async () => {
    const links = new LinkedServers();
    const home = links.add('one.test', await engine.open(), testPorts(1)).rooms;
    const away = links.add('two.test', await engine.open(), testPorts(2)).rooms;
    const [alice, carol] = [await home.user('alice', 'one.test'), await home.user('carol', 'one.test')];
    const roomId = await home.createRoom(alice);
    await home.rooms.joinRoom(carol, { roomId });
    const unknown = '$nowhere' as EventId;
    const redact = (by: typeof alice) => home.rooms.redactEvent(by, { roomId, eventId: unknown, content: {} });
    await expect(redact(alice)).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
    await away.rooms.joinRoom(await away.user('bob', 'two.test'), { roomId, via: ['one.test' as ServerName] });
    expect((await home.storedEvent(await redact(alice))).pdu['content']).toEqual({ redacts: unknown });
    await expect(redact(carol)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
  });
});
