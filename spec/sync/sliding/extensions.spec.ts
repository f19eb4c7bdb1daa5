import { describe, expect, it } from 'vitest';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { TestClient, roomPath, succeeded } from '../../support/test-client.ts';
import { type SlidingAnswer, SlidingClient } from './support/sliding-client.ts';
import type { ClientEvent } from '../../support/test-rooms.ts';

describe.each(['unstable', 'v4'] as const)('extensions of sliding sync (%s)', (shape) => {
  const server = useLoopbackServer();
  const start = async () => {
    const [alice, bob] = [await TestClient.register(server, 'alice'), await TestClient.register(server, 'bob')];
    const room = await alice.createRoom({ preset: 'public_chat', name: 'room' });
    await bob.post(`/join/${encodeURIComponent(room)}`);
    const sliding = new SlidingClient(server, bob, shape);
    const required = shape === 'v4' ? {} : [];
    const ask = (
      extensions: Record<string, { enabled: boolean; since?: string; rooms?: string[]; lists?: string[] }>,
    ) => ({
      lists: {
        all: {
          ...(shape === 'v4' ? { range: [0, 9] } : { ranges: [[0, 9]] }),
          timeline_limit: 2,
          required_state: required,
        },
      },
      extensions,
    });
    return { alice, bob, room, sliding, ask };
  };

  it('tell account data once, global and of rooms', async () => {
    const { bob, room, sliding, ask } = await start();
    const user = `/user/${encodeURIComponent(bob.userId)}`;
    await bob.put(`${user}/account_data/org.example`, { one: 1 });
    await bob.put(`${user}${roomPath(room)}/account_data/org.example.room`, { two: 2 });
    const wish = ask({ account_data: { enabled: true } });
    const first = (await sliding.next(wish)).extensions.account_data;
    expect(first?.global.map(({ type }) => type)).toEqual(['org.example', 'm.push_rules']);
    expect(first?.rooms[room]).toEqual([{ type: 'org.example.room', content: { two: 2 } }]);
    expect((await sliding.next(wish)).extensions).not.toHaveProperty('account_data');
    await bob.put(`${user}${roomPath(room)}/account_data/org.example.room`, { two: 3 });
    const next = (await sliding.next(wish)).extensions.account_data;
    expect(next).toEqual({ global: [], rooms: { [room]: [{ type: 'org.example.room', content: { two: 3 } }] } });
  });

  it('tell sticky events of all rooms, beside timelines that have no place for them, from where the client has them', async () => {
    const { alice, room, sliding, ask } = await start();
    const stick = async (name: string): Promise<string> => {
      const path = `${roomPath(room)}/send/org.example.member/${name}?org.matrix.msc4354.sticky_duration_ms=600000`;
      return String((await succeeded(alice.put(path, { name })))['event_id']);
    };
    const name = 'org.matrix.msc4354.sticky_events';
    const stickyOf = (answer: SlidingAnswer) =>
      (answer.extensions as Record<string, { next_batch: string; rooms: Record<string, { events: ClientEvent[] }> }>)[
        name
      ];
    const idsOf = (answer: SlidingAnswer) => stickyOf(answer)?.rooms[room]?.events.map((event) => event.event_id);
    const first = await stick('first');
    for (const text of ['one', 'two', 'three']) await alice.say(room, text);
    const second = await stick('second');
    const wish = (since?: string) => ask({ [name]: { enabled: true, ...(since === undefined ? {} : { since }) } });
    const begun = await sliding.next(wish());
    // The second one stands in the timeline.
    expect(idsOf(begun)).toEqual([first]);
    expect(stickyOf(begun)?.rooms[room]?.events[0]).toMatchObject({
      type: 'org.example.member',
      content: { name: 'first' },
    });
    const since = stickyOf(begun)?.next_batch ?? '';
    expect(stickyOf(await sliding.next(wish(since)))).toBeUndefined();
    const third = await stick('third');
    for (const text of ['four', 'five', 'six']) await alice.say(room, text);
    expect(idsOf(await sliding.next(wish(since)))).toEqual([third]);
    // Whoever has lost them asks from the beginning.
    expect(idsOf(await sliding.next(wish()))).toEqual([first, second, third]);
    expect((await sliding.next(ask({ [name]: { enabled: false } }))).extensions).toEqual({});
  });

  it('tell receipts of what is told, then those that change, and counts that they move', async () => {
    const { alice, bob, room, sliding, ask } = await start();
    const said = await alice.say(room, 'hello');
    await alice.post(`${roomPath(room)}/receipt/m.read/${encodeURIComponent(said)}`);
    const wish = ask({ receipts: { enabled: true } });
    const first = await sliding.next(wish);
    expect(first.extensions.receipts?.rooms[room]).toMatchObject({
      type: 'm.receipt',
      content: { [said]: { 'm.read': { [alice.userId]: {} } } },
    });
    await bob.post(`${roomPath(room)}/receipt/m.read/${encodeURIComponent(said)}`);
    const next = await sliding.next(wish);
    expect(next.extensions.receipts?.rooms[room]?.content).toMatchObject({
      [said]: { 'm.read': { [bob.userId]: {} } },
    });
    if (shape === 'unstable') expect(next.rooms[room]).toMatchObject({ notification_count: 0, highlight_count: 0 });
    expect((await sliding.next(wish)).extensions).toEqual({});
    const scoped = await sliding.next(ask({ receipts: { enabled: true, lists: [], rooms: [] } }));
    expect(scoped.extensions).toEqual({});
  });

  it('tell who is typing', async () => {
    const { alice, room, sliding, ask } = await start();
    const wish = ask({ typing: { enabled: true } });
    await sliding.next(wish);
    const waiting = sliding.next(wish, { timeoutMs: 30_000 });
    await alice.put(`${roomPath(room)}/typing/${encodeURIComponent(alice.userId)}`, { typing: true, timeout: 30_000 });
    expect((await waiting).extensions.typing?.rooms[room]).toEqual({
      type: 'm.typing',
      content: { user_ids: [alice.userId] },
    });
    await alice.put(`${roomPath(room)}/typing/${encodeURIComponent(alice.userId)}`, { typing: false });
    expect((await sliding.next(wish)).extensions.typing?.rooms[room]).toMatchObject({ content: { user_ids: [] } });
  });

  it('tell messages to the device until they are acknowledged, and the counts of keys', async () => {
    const { alice, bob, sliding, ask } = await start();
    const wish = ask({ to_device: { enabled: true }, e2ee: { enabled: true } });
    const device = String((await bob.get('/account/whoami')).json['device_id']);
    await sliding.next(wish);
    const send = { messages: { [bob.userId]: { [device]: { hello: 'device' } } } };
    await alice.put('/sendToDevice/org.example/1', send);
    const told = (await sliding.next(wish)).extensions;
    expect(told.to_device?.events).toMatchObject([{ type: 'org.example', content: { hello: 'device' } }]);
    expect(told.e2ee).toHaveProperty('device_one_time_keys_count');
    expect((await sliding.next(wish)).extensions.to_device?.events).toHaveLength(1);
    const since = told.to_device?.next_batch ?? '';
    const later = await sliding.next(ask({ to_device: { enabled: true, since } }));
    expect(later.extensions.to_device?.events ?? []).toEqual([]);
  });
});
