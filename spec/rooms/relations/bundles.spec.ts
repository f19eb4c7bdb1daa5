import { expect, it } from 'vitest';
import type { EventId } from '../../../src/matrix/ids/ids.ts';
import { bundledRelations } from '../../../src/rooms/relations/bundles.ts';
import { openForReading, viewer } from '../../../src/rooms/read-state.ts';
import { eventsByIds } from '../../../src/storage/stores/timeline-store.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { bundleOf, idsOf, startRelations } from './support.ts';

describeOnBothEngines('bundled aggregations', (engine) => {
  it('have the most recent valid edit, whole', async () => {
    const { ports, test, roomId, alice, bob, say, relate, edit, bundle } = await startRelations(engine);
    const root = await say(alice);
    expect(await bundle(bob, root)).toBeUndefined();
    await edit(alice, root, 'first');
    await ports.advance(1);
    const second = await edit(alice, root, 'second');
    // Another's, without new content, of another type, of a state event, of an edit: none of them counts.
    await edit(bob, root, 'not mine');
    await relate(alice, 'm.replace', root);
    await relate(alice, 'm.replace', root, { 'm.new_content': {} }, { type: 'org.example.other' });
    await edit(alice, second, 'an edit of an edit');
    const topic = await test.setState(alice, roomId, 'm.room.topic', { topic: 'talk' });
    await relate(alice, 'm.replace', topic, { 'm.new_content': { topic: 'edited' } }, { type: 'm.room.topic' });
    expect(await bundle(bob, root)).toMatchObject({
      'm.replace': {
        event_id: second,
        room_id: roomId,
        sender: alice.userId,
        type: 'm.room.message',
        content: { 'm.new_content': { body: 'second' }, 'm.relates_to': { event_id: root } },
      },
    });
    expect(await bundle(bob, second)).toBeUndefined();
    expect(await bundle(bob, topic)).toBeUndefined();
    expect((await test.event(bob, roomId, root)).content['body']).not.toBe('second');
  });

  it('choose among edits by when they say they were sent, then by their id', async () => {
    const { test, roomId, alice, bob, say, bundle } = await startRelations(engine);
    const root = await say(alice);
    const send = (body: string, originServerTs: number): Promise<EventId> =>
      test.rooms.sendMessage(alice, {
        roomId,
        type: 'm.room.message',
        content: { body, 'm.new_content': { body }, 'm.relates_to': { rel_type: 'm.replace', event_id: root } },
        originServerTs,
      });
    const late = await send('late', 5_000);
    await send('early', 4_000);
    expect((await bundle(bob, root))?.['m.replace']?.event_id).toBe(late);
    const same = [late];
    for (let i = 0; i < 4; i++) same.push(await send(`at the same time ${i}`, 5_000));
    expect((await bundle(bob, root))?.['m.replace']?.event_id).toBe(same.toSorted().at(-1));
  });

  it('go back to the edit before when one is redacted, and have none of what is redacted itself', async () => {
    const { alice, bob, say, relate, edit, redact, bundle } = await startRelations(engine);
    const root = await say(alice);
    const first = await edit(alice, root, 'first');
    const second = await edit(alice, root, 'second');
    const threaded = await relate(bob, 'm.thread', root);
    await redact(alice, second);
    expect((await bundle(bob, root))?.['m.replace']?.event_id).toBe(first);
    await redact(alice, root);
    expect(Object.keys((await bundle(bob, root)) ?? {})).toEqual(['m.thread']);
    await redact(bob, threaded);
    expect(await bundle(bob, root)).toBeUndefined();
  });

  it('take an encrypted edit for one of an encrypted event', async () => {
    const { test, roomId, alice, bob, relate, bundle } = await startRelations(engine);
    const content = { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'abc' };
    const type = 'm.room.encrypted';
    const root = await test.rooms.sendMessage(alice, { roomId, type, content });
    await relate(alice, 'm.replace', root, { 'm.new_content': {} });
    expect(await bundle(bob, root)).toBeUndefined();
    const edited = await relate(alice, 'm.replace', root, content, { type });
    expect((await bundle(bob, root))?.['m.replace']?.event_id).toBe(edited);
  });

  it('tell of a thread what is newest, how much there is, and who took part', async () => {
    const { test, roomId, alice, bob, say, relate, edit, redact, bundle } = await startRelations(engine);
    const carol = await test.user('carol');
    await test.rooms.joinRoom(carol, { roomId });
    const root = await say(alice);
    const first = await relate(bob, 'm.thread', root);
    const second = await relate(bob, 'm.thread', root);
    const edited = await edit(bob, second, 'better');
    const thread = async (by: typeof alice) => (await bundle(by, root))?.['m.thread'];
    expect(await thread(alice)).toMatchObject({
      latest_event: {
        event_id: second,
        room_id: roomId,
        unsigned: { 'm.relations': { 'm.replace': { event_id: edited } } },
      },
      count: 2,
      current_user_participated: true,
    });
    expect((await thread(bob))?.current_user_participated).toBe(true);
    expect((await thread(carol))?.current_user_participated).toBe(false);
    await redact(bob, second);
    expect(await thread(carol)).toMatchObject({ latest_event: { event_id: first }, count: 1 });
  });

  it('list what refers to an event, and count no reactions', async () => {
    const { test, roomId, alice, bob, say, relate, bundle } = await startRelations(engine);
    const [root, other] = [await say(alice), await say(alice)];
    const references = [await relate(bob, 'm.reference', root), await relate(alice, 'm.reference', root)];
    await relate(bob, 'm.annotation', root, {}, { type: 'm.reaction', key: 'x' });
    await relate(bob, 'm.annotation', other, {}, { type: 'm.reaction', key: 'x' });
    expect(await bundle(bob, root)).toEqual({ 'm.reference': { chunk: references.map((id) => ({ event_id: id })) } });
    expect(await bundle(bob, other)).toBeUndefined();
    const page = await test.history(bob, roomId);
    expect(page.chunk.filter((event) => bundleOf(event) !== undefined).map((event) => event.event_id)).toEqual([root]);
  });

  it('are in pages, in the context, in relations and in threads', async () => {
    const { test, roomId, alice, bob, say, relate, edit, relations, threads } = await startRelations(engine);
    const root = await say(alice);
    const message = await relate(bob, 'm.thread', root);
    const edited = await edit(bob, message, 'better');
    const middle = await say(alice);
    const byId = (events: readonly { event_id: EventId }[], id: EventId) =>
      bundleOf(events.find((event) => event.event_id === id) as never);
    const edits = { 'm.replace': { event_id: edited } };
    const { chunk } = await test.history(alice, roomId);
    expect(byId(chunk, message)).toMatchObject(edits);
    expect(byId(chunk, root)).toMatchObject({ 'm.thread': { latest_event: { event_id: message } } });
    const context = (await test.rooms.context(alice, roomId, middle, 10, undefined)) as never as Record<
      string,
      readonly { event_id: EventId }[]
    >;
    expect(byId(context['events_before'] ?? [], message)).toMatchObject(edits);
    expect(byId((await relations(alice, root)).chunk, message)).toMatchObject(edits);
    expect(bundleOf((await threads(alice)).chunk[0])?.['m.thread']?.latest_event.unsigned).toMatchObject({
      'm.relations': edits,
    });
  });

  it('have only what the viewer may see', async () => {
    const { test, roomId, alice, bob, say, relate, edit, bundle } = await startRelations(engine);
    await test.setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
    const root = await say(alice);
    const [early, edited] = [await relate(alice, 'm.thread', root), await edit(alice, root, 'early')];
    const reference = await relate(alice, 'm.reference', root);
    await test.rooms.leaveRoom(bob, { roomId });
    const hidden = [await relate(alice, 'm.thread', root), await edit(alice, root, 'hidden')];
    hidden.push(await relate(alice, 'm.reference', root));
    const seen = {
      'm.thread': { latest_event: { event_id: early }, count: 1 },
      'm.replace': { event_id: edited },
      'm.reference': { chunk: [{ event_id: reference }] },
    };
    expect(await bundle(bob, root)).toMatchObject(seen);
    // Back again, with a gap that stays hidden.
    await test.rooms.joinRoom(bob, { roomId });
    expect(await bundle(bob, root)).toMatchObject(seen);
    const late = await relate(alice, 'm.thread', root);
    expect(await bundle(bob, root)).toMatchObject({ ...seen, 'm.thread': { latest_event: { event_id: late } } });
    expect(JSON.stringify(await test.history(bob, roomId))).not.toMatch(
      new RegExp(hidden.join('|').replaceAll('$', '\\$')),
    );
  });

  it('leave out whom the viewer ignores', async () => {
    const { test, roomId, alice, bob, say, relate } = await startRelations(engine);
    const root = await say(alice);
    const mine = await relate(alice, 'm.thread', root);
    const reference = await relate(alice, 'm.reference', root);
    await relate(bob, 'm.thread', root);
    await relate(bob, 'm.reference', root);
    const rows = await test.ctx.db.all(eventsByIds, { eventIds: [root] });
    const ignoring = {
      ...(await viewer(test.ctx, alice, await openForReading(test.ctx, alice, roomId))),
      ignored: [bob.userNid],
    };
    const bundles = await bundledRelations(test.ctx, rows, ignoring, async (some) =>
      some.map((row) => ({ event_id: row.event_id })),
    );
    expect([...bundles.values()]).toEqual([
      {
        'm.thread': { latest_event: { event_id: mine }, count: 1, current_user_participated: true },
        'm.reference': { chunk: [{ event_id: reference }] },
      },
    ]);
  });

  it('cost a page a fixed number of reads', async () => {
    const { db, test, roomId, alice, bob, say, relate, edit } = await startRelations(engine);
    const readsOfPage = async (): Promise<string[]> => {
      db.reads.length = 0;
      await test.history(bob, roomId);
      return db.reads.toSorted();
    };
    const roots = [await say(alice)];
    const plain = await readsOfPage();
    expect(plain.filter((name) => name.startsWith('relation.'))).toEqual(['relation.bundles']);
    const relateAll = async (root: EventId) => {
      await edit(alice, await relate(alice, 'm.thread', root), 'better');
      await relate(bob, 'm.reference', root);
      await edit(alice, root, 'better');
    };
    for (const root of roots) await relateAll(root);
    const one = await readsOfPage();
    for (let i = 0; i < 12; i++) await relateAll(await say(alice));
    expect(await readsOfPage()).toEqual(one);
  });
});

describeOnBothEngines('the threads of a room', (engine) => {
  it('come by their newest event, page by page', async () => {
    const { alice, bob, say, relate, redact, threads } = await startRelations(engine);
    const roots: EventId[] = [];
    for (let i = 0; i < 5; i++) roots.push(await say(alice));
    const latest = new Map<EventId, EventId>();
    for (const root of roots) latest.set(root, await relate(bob, 'm.thread', root));
    const [first, second] = roots as [EventId, EventId];
    expect(idsOf((await threads(bob)).chunk)).toEqual(roots.toReversed());
    const bumped = await relate(alice, 'm.thread', first);
    const order = [first, ...roots.slice(1).toReversed()];
    const pages: EventId[][] = [];
    for (let from: string | undefined; ;) {
      const page = await threads(bob, { limit: 2, from });
      pages.push(idsOf(page.chunk));
      from = page.next_batch;
      if (from === undefined) break;
    }
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(pages.flat()).toEqual(order);
    await redact(alice, bumped);
    expect(idsOf((await threads(bob)).chunk)).toEqual(roots.toReversed());
    await redact(bob, latest.get(second) ?? second);
    expect(idsOf((await threads(bob)).chunk)).toEqual(roots.filter((root) => root !== second).toReversed());
    await expect(threads(bob, { from: 'nonsense' })).rejects.toMatchObject({ status: 400, errcode: 'M_INVALID_PARAM' });
  });

  it('are those that the viewer took part in, when that is asked', async () => {
    const { test, roomId, alice, bob, say, relate, threads } = await startRelations(engine);
    const carol = await test.user('carol');
    await test.rooms.joinRoom(carol, { roomId });
    const [one, two, three] = [await say(alice), await say(bob), await say(alice)];
    for (const root of [one, two, three]) await relate(alice, 'm.thread', root);
    await relate(bob, 'm.thread', one);
    expect(idsOf((await threads(bob, { include: 'participated' })).chunk)).toEqual([one, two]);
    expect(idsOf((await threads(alice, { include: 'participated' })).chunk)).toEqual([one, three, two]);
    expect(await threads(carol, { include: 'participated' })).toEqual({ chunk: [] });
  });

  it('are shown as far as the viewer may see them', async () => {
    const { test, roomId, alice, bob, say, relate, threads } = await startRelations(engine);
    const [one, two] = [await say(alice), await say(alice)];
    const seen = await relate(alice, 'm.thread', one);
    await test.rooms.leaveRoom(bob, { roomId });
    for (const root of [one, two, await say(alice)]) await relate(alice, 'm.thread', root);
    const { chunk } = await threads(bob);
    expect(idsOf(chunk)).toEqual([one]);
    expect(bundleOf(chunk[0])?.['m.thread']).toMatchObject({ latest_event: { event_id: seen }, count: 1 });
    const eve = await test.user('eve');
    await expect(threads(eve)).rejects.toMatchObject({ status: 403, errcode: 'M_FORBIDDEN' });
  });

  it('are not those that cannot be: of unknown events, of other rooms', async () => {
    const { test, alice, say, relate, threads } = await startRelations(engine);
    const root = await say(alice);
    await relate(alice, 'm.thread', '$unknown' as EventId);
    const other = await test.createRoom(alice);
    await relate(alice, 'm.thread', root, {}, { room: other });
    expect(await threads(alice)).toEqual({ chunk: [] });
  });
});
