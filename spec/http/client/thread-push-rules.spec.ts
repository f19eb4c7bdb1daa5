import { afterEach, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { type LoopbackServer, startLoopbackServer } from '../../support/loopback-server.ts';
import { roomPath, succeeded, TestClient } from '../../support/test-client.ts';

const rule = (name: string): string => `/pushrules/global/postcontent/.io.element.msc4306.rule.${name}/enabled`;

describeOnBothEngines('push rules about threads', (engine) => {
  let server: LoopbackServer | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });
  const setUp = async () => {
    const database = await engine.freshOptions();
    server = await startLoopbackServer(database.engine === 'postgres' ? { postgresUrl: database.url } : {});
    const [alice, bob] = [await TestClient.register(server, 'alice'), await TestClient.register(server, 'bob')];
    const roomId = await alice.createRoom({ preset: 'public_chat' });
    await succeeded(bob.post(`${roomPath(roomId)}/join`));
    const root = await alice.say(roomId, 'the root');
    await succeeded(bob.post(`${roomPath(roomId)}/receipt/m.read/${encodeURIComponent(root)}`));
    let sent = 0;
    const inThread = async (content: JsonObject = {}): Promise<string> => {
      const body = {
        msgtype: 'm.text',
        body: 'in the thread',
        'm.relates_to': { rel_type: 'm.thread', event_id: root },
      };
      const path = `${roomPath(roomId)}/send/m.room.message/t${sent++}`;
      return String((await succeeded(alice.put(path, { ...body, ...content })))['event_id']);
    };
    const thread = `/../unstable/io.element.msc4306${roomPath(roomId)}/thread/${encodeURIComponent(root)}/subscription`;
    const unread = async (): Promise<unknown> => {
      const { rooms } = (await succeeded(bob.get('/sync'))) as { rooms: { join: Record<string, JsonObject> } };
      const counts = rooms.join[roomId]?.['unread_notifications'] as JsonObject;
      return [counts['notification_count'], counts['highlight_count']];
    };
    const notified = async (): Promise<unknown[]> => {
      const { notifications } = await succeeded(bob.get('/notifications'));
      return (notifications as { event: { event_id: string } }[]).map(({ event }) => event.event_id);
    };
    const enable = (name: string) => succeeded(bob.put(rule(name), { enabled: true }));
    const follow = (does: boolean) => succeeded(bob.call(does ? 'PUT' : 'DELETE', thread));
    return { alice, bob, roomId, root, inThread, unread, notified, enable, follow };
  };

  it('say nothing while they are off', async () => {
    const { inThread, unread, follow } = await setUp();
    await inThread();
    await follow(true);
    expect(await unread()).toEqual([1, 0]);
  });

  it('leave out threads that one does not follow, but for mentions', async () => {
    const { alice, bob, roomId, inThread, unread, notified, enable } = await setUp();
    await enable('unsubscribed_thread');
    await inThread();
    expect(await unread()).toEqual([0, 0]);
    const mention = await inThread({ 'm.mentions': { user_ids: [bob.userId] } });
    expect(await unread()).toEqual([1, 1]);
    const beside = await alice.say(roomId, 'beside the thread');
    expect(await unread()).toEqual([2, 1]);
    expect((await notified()).slice(0, 2)).toEqual([beside, mention]);
  });

  it('tell of threads that one follows, in a muted room, too', async () => {
    const { alice, bob, roomId, inThread, unread, notified, enable, follow } = await setUp();
    await succeeded(bob.put(`/pushrules/global/room/${encodeURIComponent(roomId)}`, { actions: [] }));
    for (const name of ['unsubscribed_thread', 'subscribed_thread']) await enable(name);
    const first = await inThread();
    await alice.say(roomId, 'nobody hears it');
    expect(await unread()).toEqual([0, 0]);
    await follow(true);
    expect(await unread()).toEqual([1, 0]);
    const second = await inThread();
    expect(await unread()).toEqual([2, 0]);
    expect((await notified()).slice(0, 2)).toEqual([second, first]);
    await follow(false);
    expect(await unread()).toEqual([0, 0]);
  });
});
