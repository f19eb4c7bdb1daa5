import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { setPushRuleEnabled } from '../../src/matrix/push-rules/edit-push-rules.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms, nothingNew } from '../support/test-rooms.ts';

/** What people keep for themselves, and what is true for a moment only. */
describeOnBothEngines('account data, push rules, receipts and typing in sync', (engine) => {
  const start = async () => {
    const db = await engine.open();
    const ports = testPorts(1);
    const test = new TestRooms(db, ports);
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    return { ports, test, alice, bob, roomId };
  };

  it('tells push rules first, and when they change', async () => {
    const { test, bob } = await start();
    const first = await test.syncOnce(bob);
    const rules = first.account_data?.events.find((event) => event.type === 'm.push_rules');
    expect(rules?.content).toHaveProperty('global.override');
    expect((await test.syncOnce(bob, first.next_batch)).account_data).toBeUndefined();
    const waiting = test.syncWaiting(bob, first.next_batch);
    await test.editPushRules(bob, (changes, defaults) =>
      setPushRuleEnabled(changes, defaults, 'override', '.m.rule.reaction', false),
    );
    expect((await waiting).account_data?.events.map((event) => event.type)).toEqual(['m.push_rules']);
    const none = await test.syncOnce(bob, undefined, { filter: { account_data: { not_types: ['m.push_rules'] } } });
    expect(none.account_data).toBeUndefined();
  });

  it('tells global account data once, in the order of the changes', async () => {
    const { test, bob } = await start();
    await test.setAccountData(bob, 'org.example.a', { n: 1 });
    const first = await test.syncOnce(bob);
    expect(first.account_data?.events.find((event) => event.type === 'org.example.a')?.content).toEqual({ n: 1 });
    await test.setAccountData(bob, 'org.example.b', { n: 2 });
    await test.setAccountData(bob, 'org.example.a', { n: 3 });
    const second = await test.syncOnce(bob, first.next_batch);
    expect(second.account_data?.events).toEqual([
      { type: 'org.example.b', content: { n: 2 } },
      { type: 'org.example.a', content: { n: 3 } },
    ]);
    expect(await test.syncOnce(bob, second.next_batch)).toEqual({
      ...nothingNew,
      next_batch: second.next_batch,
    });
  });

  it('tells what is kept about a room to its owner, and all of it to whoever comes in', async () => {
    const { test, alice, bob, roomId } = await start();
    const { next_batch: since } = await test.syncOnce(bob);
    await test.setAccountData(bob, 'm.tag', { tags: {} }, roomId);
    const told = (await test.syncOnce(bob, since)).rooms?.join?.[roomId];
    expect(told?.account_data.events).toEqual([{ type: 'm.tag', content: { tags: {} } }]);
    expect((await test.syncOnce(alice)).rooms?.join?.[roomId]?.account_data.events).toEqual([]);
    await test.rooms.leaveRoom(bob, { roomId });
    const { next_batch: gone } = await test.syncOnce(bob, since);
    await test.rooms.joinRoom(bob, { roomId });
    const back = (await test.syncOnce(bob, gone)).rooms?.join?.[roomId];
    expect(back?.account_data.events).toEqual([{ type: 'm.tag', content: { tags: {} } }]);
  });

  it('tells receipts and typing to whoever comes in, and private receipts to nobody else', async () => {
    const { ports, test, alice, bob, roomId } = await start();
    const eventId = await test.say(alice, roomId, 'one');
    await test.rooms.setReceipt(bob, roomId, 'm.read', eventId, undefined);
    await test.rooms.setReceipt(bob, roomId, 'm.read.private', eventId, undefined);
    await test.rooms.setReceipt(bob, roomId, 'm.read', eventId, 'main');
    await test.rooms.setTyping(bob, roomId, 5_000);
    const carol = await test.user('carol');
    const { next_batch: since } = await test.syncOnce(carol);
    await test.rooms.joinRoom(carol, { roomId });
    const room = (await test.syncOnce(carol, since)).rooms?.join?.[roomId];
    const ts = ports.clock.nowMs();
    expect(room?.ephemeral.events).toEqual([
      { type: 'm.typing', content: { user_ids: [bob.userId] } },
      { type: 'm.receipt', content: { [eventId]: { 'm.read': { [bob.userId]: { ts } } } } },
      { type: 'm.receipt', content: { [eventId]: { 'm.read': { [bob.userId]: { ts, thread_id: 'main' } } } } },
    ]);
    const own = (await test.syncOnce(bob)).rooms?.join?.[roomId]?.ephemeral.events ?? [];
    expect(JSON.stringify(own)).toContain('m.read.private');
  });

  it('stops typing when the time is over, and when whoever types is gone', async () => {
    const { ports, test, alice, bob, roomId } = await start();
    await test.rooms.setTyping(bob, roomId, 5_000);
    await test.ctx.db.drained();
    const first = await test.syncOnce(alice);
    const typing = async (since: string) => {
      const answer = await test.syncOnce(alice, since);
      return { since: answer.next_batch, events: answer.rooms?.join?.[roomId]?.ephemeral.events };
    };
    expect(first.rooms?.join?.[roomId]?.ephemeral.events).toHaveLength(1);
    // Typing on is no news.
    await ports.advance(4_000);
    await test.rooms.setTyping(bob, roomId, 5_000);
    await test.ctx.db.drained();
    expect((await typing(first.next_batch)).events).toBeUndefined();
    await ports.advance(5_000);
    await test.ctx.db.drained();
    const over = await typing(first.next_batch);
    expect(over.events).toEqual([{ type: 'm.typing', content: { user_ids: [] } }]);

    await test.rooms.setTyping(bob, roomId, 5_000);
    await test.rooms.setTyping(alice, roomId, 5_000);
    await test.ctx.db.drained();
    const both = await typing(over.since);
    expect(both.events).toEqual([{ type: 'm.typing', content: { user_ids: [bob.userId, alice.userId] } }]);
    await test.rooms.kickUser(alice, { roomId, target: bob.userId });
    await test.ctx.db.drained();
    const alone = await typing(both.since);
    expect(alone.events).toEqual([{ type: 'm.typing', content: { user_ids: [alice.userId] } }]);
    await expect(test.rooms.setTyping(bob, roomId, 5_000)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    test.rooms.close();
    expect(ports.timerCount).toBe(0);
  });

  it('tells the summary when members or the name change, with heroes where there is no name', async () => {
    const { test, alice, bob, roomId } = await start();
    let { next_batch: since } = await test.syncOnce(bob);
    const summary = async (filter: JsonObject = {}) => {
      const answer = await test.syncOnce(bob, since, { filter });
      since = answer.next_batch;
      return answer.rooms?.join?.[roomId]?.summary;
    };
    await test.say(alice, roomId, 'one');
    expect(await summary()).toBeUndefined();
    const carol = await test.user('carol');
    await test.rooms.inviteUser(alice, { roomId, target: carol.userId });
    expect(await summary()).toEqual({
      'm.heroes': [alice.userId, carol.userId],
      'm.joined_member_count': 2,
      'm.invited_member_count': 1,
    });
    await test.setState(alice, roomId, 'm.room.name', { name: 'Name' });
    expect(await summary()).toEqual({ 'm.joined_member_count': 2, 'm.invited_member_count': 1 });
    await test.setState(alice, roomId, 'm.room.name', {});
    await test.rooms.joinRoom(carol, { roomId });
    // Told although the filter leaves the events out.
    expect(await summary({ room: { timeline: { types: ['m.room.message'] }, state: { types: [] } } })).toEqual({
      'm.heroes': [alice.userId, carol.userId],
      'm.joined_member_count': 3,
      'm.invited_member_count': 0,
    });
  });
});
