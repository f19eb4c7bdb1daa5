import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { addPushRule } from '../../src/matrix/push-rules/edit-push-rules.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { gatewayUrl, type Notification, usePush } from '../support/test-push.ts';
import type { TestUser } from '../support/test-rooms.ts';

describeOnBothEngines('push notifications', (engine) => {
  const pushes = usePush(engine);
  const start = async (config = {}) => {
    const at = await pushes.start(config);
    const { test } = at;
    const [alice, bob, carol] = [await test.user('alice'), await test.user('bob'), await test.user('carol')];
    const roomId = await test.createRoom(alice, { name: 'A room' });
    for (const user of [bob, carol]) await test.rooms.joinRoom(user, { roomId });
    await at.addPusher(bob, 'key of bob');
    return { at, test, alice, bob, carol, roomId };
  };
  const idsOf = (notifications: readonly Notification[]) => notifications.map((each) => each.event_id);

  it('tell the gateway all that the specification names', async () => {
    const { at, test, alice, bob, roomId } = await start();
    const before = at.ports.clock.nowMs();
    await at.addPusher(bob, 'key', { data: { url: gatewayUrl, custom: [1] }, appId: 'other' });
    const eventId = await test.say(alice, roomId, 'hello');
    const taken = await at.untilTaken(2);
    expect(taken.map(({ devices }) => devices[0].pushkey).toSorted()).toEqual(['key', 'key of bob']);
    const device = { app_id: 'other', pushkey: 'key', pushkey_ts: Math.floor(before / 1_000), data: { custom: [1] } };
    expect(taken.find(({ devices }) => devices[0].pushkey === 'key')).toEqual({
      event_id: eventId,
      room_id: roomId,
      type: 'm.room.message',
      sender: alice.userId,
      sender_display_name: 'alice',
      room_name: 'A room',
      content: { msgtype: 'm.text', body: 'hello' },
      prio: 'low',
      counts: { unread: 1 },
      devices: [{ ...device, tweaks: {} }],
    });
    expect(new Set(at.gateways.requests.map(({ url }) => url))).toEqual(new Set([gatewayUrl]));
  });

  it('tell only which event it is where the client or the server wants it so', async () => {
    const own = await start();
    await own.at.addPusher(own.bob, 'key of bob', { data: { url: gatewayUrl, format: 'event_id_only' } });
    const everybodys = await start({ includeContent: false });
    for (const { at, test, alice, roomId } of [own, everybodys]) {
      const eventId = await test.say(alice, roomId, 'secret');
      const [notification] = await at.untilTaken(1);
      expect(notification).toMatchObject({ event_id: eventId, room_id: roomId, counts: { unread: 1 } });
      expect(Object.keys(notification ?? {}).toSorted()).toEqual(['counts', 'devices', 'event_id', 'prio', 'room_id']);
      expect(JSON.stringify(notification)).not.toContain('alice');
    }
  });

  it('make a sound between two, and highlight mentions', async () => {
    const { at, test, alice, bob, roomId } = await start();
    const tweaks = (of: Notification | undefined) => (of?.devices[0] as JsonObject | undefined)?.['tweaks'];
    const pair = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId: pair });
    await test.say(alice, pair, 'psst');
    const [first] = await at.untilTaken(1);
    expect([tweaks(first), first?.['prio']]).toEqual([{ sound: 'default' }, 'high']);
    await test.say(alice, roomId, 'you', { 'm.mentions': { user_ids: [bob.userId] } });
    const [, second] = await at.untilTaken(2);
    expect([tweaks(second), second?.counts]).toEqual([{ sound: 'default', highlight: true }, { unread: 2 }]);
  });

  it('tell of an invite', async () => {
    const { at, test, alice, bob } = await start();
    const roomId = await test.createRoom(alice, { preset: 'private_chat', invite: [bob.userId] });
    const [notification] = await at.untilTaken(1);
    expect(notification).toMatchObject({
      room_id: roomId,
      type: 'm.room.member',
      user_is_target: true,
      prio: 'high',
      counts: { unread: 1 },
    });
  });

  it('do not tell of what one did oneself, does not want to hear of, or from whom', async () => {
    const { at, test, alice, bob, carol, roomId } = await start();
    await test.say(bob, roomId, 'my own');
    await test.rooms.sendState(alice, { roomId, type: 'm.room.topic', stateKey: '', content: { topic: 'x' } });
    await test.setAccountData(bob, 'm.ignored_user_list', { ignored_users: { [carol.userId]: {} } });
    await test.say(carol, roomId, 'ignored');
    const quiet = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId: quiet });
    await test.editPushRules(bob, (changes) => addPushRule(changes, 'room', quiet, { actions: [] }, {}));
    await test.say(alice, quiet, 'muted');
    await test.rooms.leaveRoom(bob, { roomId: quiet });
    await test.say(alice, quiet, 'after leaving');
    const last = await test.say(alice, roomId, 'heard');
    expect(idsOf(await at.untilTaken(1))).toEqual([last]);
    await at.addPusher(bob, 'key of bob', { isEnabled: false });
    await test.say(alice, roomId, 'while switched off');
    await at.settle();
    await at.addPusher(bob, 'key of bob');
    const again = await test.say(alice, roomId, 'switched on');
    expect(idsOf(await at.untilTaken(2))).toEqual([last, again]);
  });

  it('come once the gateway answers again, in order and each once', async () => {
    const { at, test, alice, roomId } = await start();
    at.gateways.answer = () => 'unreachable';
    const sent = [await test.say(alice, roomId, '1'), await test.say(alice, roomId, '2')];
    await at.ports.until(() => at.gateways.requests.length === 1);
    at.gateways.answer = () => ({ status: 502 });
    await at.pass(1_000, () => at.gateways.requests.length === 8);
    // Each pause is longer than the one before, by half at least.
    expect(at.ports.clock.monotonicMs()).toBeGreaterThan(60_000);
    at.gateways.answer = () => ({ status: 200 });
    sent.push(await test.say(alice, roomId, '3'));
    await at.pass(60_000, () => at.gateways.taken.length === 3);
    expect(idsOf(at.gateways.taken)).toEqual(sent);
    await at.ports.advance(3_600_000);
    expect(at.gateways.taken).toHaveLength(3);
  });

  it('are given up where the gateway takes all but this one', async () => {
    const { at, test, alice, roomId } = await start();
    const poison = await test.say(alice, roomId, 'poison');
    at.gateways.answer = (notification) => ({ status: notification.event_id === poison ? 400 : 200 });
    const next = await test.say(alice, roomId, 'harmless');
    await at.pass(1_000, () => at.gateways.taken.length > 0);
    expect(idsOf(at.gateways.taken)).toEqual([next]);
  });

  it('are not sent when they have become old, read or redacted', async () => {
    const { at, test, alice, bob, roomId } = await start();
    at.gateways.answer = () => 'unreachable';
    await test.say(alice, roomId, 'old');
    await at.ports.until(() => at.gateways.requests.length === 1);
    await at.ports.advance(90_000_000);
    const read = await test.say(alice, roomId, 'read');
    await test.rooms.setReceipt(bob, roomId, 'm.read.private', read, undefined);
    const redacted = await test.say(alice, roomId, 'redacted');
    const transaction = { deviceNid: alice.deviceNid, path: 'redact', txnId: '1' };
    await test.rooms.redactEvent(alice, { roomId, eventId: redacted, content: {}, transaction });
    const last = await test.say(alice, roomId, 'last');
    at.gateways.answer = () => ({ status: 200 });
    await at.pass(60_000, () => at.gateways.taken.length > 0);
    expect(idsOf(at.gateways.taken).filter((id) => id !== undefined)).toEqual([last]);
  });

  it('end with a pushkey that the gateway rejects', async () => {
    const { at, test, alice, bob, roomId } = await start();
    await at.addPusher(bob, 'other key');
    at.gateways.answer = ({ devices }) => ({
      status: 200,
      rejected: devices[0].pushkey === 'key of bob' ? ['key of bob'] : ['of somebody else'],
    });
    await test.say(alice, roomId, 'one');
    await at.ports.until(() => at.gateways.requests.length === 2);
    await at.settle();
    expect((await at.push.listPushers(bob)).map(({ pushkey }) => pushkey)).toEqual(['other key']);
    await test.say(alice, roomId, 'two');
    await at.ports.until(() => at.gateways.requests.length === 3);
    await at.settle();
    expect(at.gateways.requests).toHaveLength(3);
  });

  it('say how much is unread when something was read elsewhere', async () => {
    const { at, test, alice, bob, roomId } = await start();
    const told = () => at.gateways.taken.map(({ event_id: id, counts }) => [id, counts]);
    const first = await test.say(alice, roomId, 'one');
    await at.untilTaken(1);
    const second = await test.say(alice, roomId, 'two');
    await at.untilTaken(2);
    await test.rooms.setReceipt(bob, roomId, 'm.read', first, undefined);
    await at.pass(500, () => at.gateways.taken.length === 3);
    await test.say(bob, roomId, 'answered');
    await at.pass(500, () => at.gateways.taken.length === 4);
    expect(told()).toEqual([
      [first, { unread: 1 }],
      [second, { unread: 2 }],
      [undefined, { unread: 1 }],
      [undefined, {}],
    ]);
    await test.say(bob, roomId, 'once more');
    await at.ports.advance(60_000);
    await at.settle();
    expect(at.gateways.taken).toHaveLength(4);
  });

  it('go on after a crash where they stopped', async () => {
    const { at, test, alice, bob, carol, roomId } = await start();
    await at.addPusher(carol, 'key of carol', { data: { url: 'https://dead.example.org/_matrix/push/v1/notify' } });
    at.gateways.answer = (_, url) => (url === gatewayUrl ? { status: 200 } : 'unreachable');
    const first = await test.say(alice, roomId, 'one');
    await at.ports.until(() => at.gateways.requests.length >= 2);
    await at.untilTaken(1);
    // What was looked at is on disk now, and that one pusher is behind.
    await at.ports.advance(5_000);
    await at.settle();
    const second = await test.say(alice, roomId, 'two');
    await at.untilTaken(2);
    const restarted = await pushes.killAndRestart(at);
    at.gateways.taken.length = 0;
    at.gateways.answer = () => ({ status: 200 });
    await restarted.settle();
    const third = await restarted.test.say(alice, roomId, 'three');
    const taken = await restarted.untilTaken(4);
    const of = (key: string) => idsOf(taken.filter(({ devices }) => devices[0].pushkey === key));
    expect([of('key of bob'), of('key of carol')]).toEqual([[third], [first, second, third]]);
    await restarted.ports.advance(10_000);
    const last = await pushes.killAndRestart(restarted);
    await last.settle();
    await last.ports.advance(60_000);
    expect(at.gateways.taken.filter(({ event_id: id }) => id !== undefined)).toHaveLength(4);
    expect(await last.push.listPushers(bob)).toHaveLength(1);
  });

  it('tell after a start of invites and messages that came while nobody looked', async () => {
    const at = await pushes.start();
    const [alice, bob] = [await at.test.user('alice'), await at.test.user('bob')];
    const roomId = await at.test.createRoom(alice);
    await at.test.rooms.joinRoom(bob, { roomId });
    await at.addPusher(bob, 'key');
    await at.push.close();
    const missed = await at.test.say(alice, roomId, 'missed');
    const invited = await at.test.createRoom(alice, { preset: 'private_chat', invite: [bob.userId] });
    expect(at.gateways.requests).toEqual([]);
    const restarted = await pushes.killAndRestart(at);
    const taken = await restarted.untilTaken(2);
    expect(taken.map(({ event_id: id, room_id: room }) => [id === missed, room])).toEqual([
      [true, roomId],
      [false, invited],
    ]);
  });

  it('count as /sync does', async () => {
    const { at, test, alice, bob, carol, roomId } = await start();
    const rooms = [roomId, await test.createRoom(alice), await test.createRoom(carol)];
    for (const room of rooms) for (const user of [alice, bob, carol]) await test.rooms.joinRoom(user, { roomId: room });
    await test.editPushRules(bob, (changes) =>
      addPushRule(changes, 'content', 'loud', { pattern: 'loud', actions: ['notify'] }, {}),
    );
    const unreadInSync = async (user: TestUser): Promise<number> => {
      const { rooms: told } = await test.syncOnce(user);
      const counts = Object.values(told?.join ?? {}).map((room) => room.unread_notifications.notification_count);
      return counts.reduce((sum, count) => sum + count, 0);
    };
    let sent = 0;
    for (const [index, sender] of [alice, carol, bob, alice, carol, alice, bob, carol].entries()) {
      const room = rooms[index % rooms.length] ?? roomId;
      const eventId = await test.say(sender, room, `message ${index}`);
      if (index === 5) await test.rooms.setReceipt(bob, room, 'm.read', eventId, undefined);
      else if (sender !== bob) sent++;
      await at.untilTaken(sent);
      const unread = await unreadInSync(bob);
      await at.pass(500, () => (at.gateways.taken.at(-1)?.counts.unread ?? 0) === unread);
    }
  });
});
