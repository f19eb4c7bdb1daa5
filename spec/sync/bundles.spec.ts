import { expect, it } from 'vitest';
import { bundleOf, startRelations } from '../rooms/relations/support.ts';
import { describeOnBothEngines } from '../support/databases.ts';

describeOnBothEngines('bundled aggregations in /sync', (engine) => {
  it('go with a timeline that has a gap, and with no other', async () => {
    const { db, test, roomId, alice, bob, say, relate, edit } = await startRelations(engine);
    const { next_batch: start } = await test.syncOnce(bob);
    const root = await say(alice);
    const message = await relate(alice, 'm.thread', root);
    const edited = await edit(alice, message, 'better');
    db.reads.length = 0;
    const whole = (await test.syncOnce(bob, start)).rooms?.join?.[roomId]?.timeline;
    expect(whole).toMatchObject({ limited: false, events: [{ event_id: root }, { event_id: message }, {}] });
    expect(whole?.events.map(bundleOf)).toEqual([undefined, undefined, undefined]);
    expect(db.reads).not.toContain('relation.bundles');

    await test.rooms.setReceipt(bob, roomId, 'm.read', edited, undefined);
    const filter = { room: { timeline: { limit: 3 } } };
    const own = await test.say(bob, roomId, 'own', {}, 'a transaction');
    const reference = await relate(bob, 'm.reference', own);
    for (const since of [undefined, start]) {
      const timeline = (await test.syncOnce(bob, since, { filter })).rooms?.join?.[roomId]?.timeline;
      expect(timeline?.limited).toBe(true);
      expect(timeline?.events.map((event) => event.event_id)).toEqual([edited, own, reference]);
      expect(timeline?.events[1]?.unsigned).toMatchObject({ transaction_id: 'a transaction', membership: 'join' });
      expect(timeline?.events.map(bundleOf)).toEqual([
        undefined,
        { 'm.reference': { chunk: [{ event_id: reference }] } },
        undefined,
      ]);
    }
    const wider = { room: { timeline: { limit: 5 } } };
    const { events = [] } =
      (await test.syncOnce(bob, undefined, { filter: wider })).rooms?.join?.[roomId]?.timeline ?? {};
    expect(bundleOf(events[0])?.['m.thread']).toMatchObject({
      count: 1,
      current_user_participated: false,
      latest_event: { event_id: message, unsigned: { 'm.relations': { 'm.replace': { event_id: edited } } } },
    });
    expect(bundleOf(events[0])?.['m.thread']?.latest_event).not.toHaveProperty('room_id');
    expect(bundleOf(events[1])?.['m.replace']?.event_id).toBe(edited);
  });

  it('are those of the moment of the token, without whom the reader ignores', async () => {
    const { test, roomId, alice, bob, say, relate } = await startRelations(engine);
    const carol = await test.user('carol');
    await test.rooms.joinRoom(carol, { roomId });
    for (let i = 0; i < 12; i++) await say(alice);
    const root = await say(alice);
    const heard = await relate(alice, 'm.thread', root);
    await relate(carol, 'm.thread', root);
    await test.setAccountData(bob, 'm.ignored_user_list', { ignored_users: { [carol.userId]: {} } });
    const { events = [] } = (await test.syncOnce(bob)).rooms?.join?.[roomId]?.timeline ?? {};
    const shown = events.find((event) => event.event_id === root);
    expect(bundleOf(shown)?.['m.thread']).toMatchObject({ latest_event: { event_id: heard }, count: 1 });
  });
});
