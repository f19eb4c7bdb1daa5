import { expect, it } from 'vitest';
import type { EventId } from '../../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import type { RelationsRequest } from '../../../src/rooms/relations/read-relations.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import type { TestUser } from '../../support/test-rooms.ts';
import { idsOf, startRelations } from './support.ts';

describeOnBothEngines('the relations of an event', (engine) => {
  it('are its children, by type of relation and of event', async () => {
    const { alice, bob, say, relate, edit, relations } = await startRelations(engine);
    const root = await say(alice);
    const threaded = await relate(bob, 'm.thread', root);
    const dummy = await relate(alice, 'm.thread', root, {}, { type: 'm.dummy' });
    const edited = await edit(alice, root, 'better');
    expect(idsOf((await relations(bob, root)).chunk)).toEqual([edited, dummy, threaded]);
    expect(idsOf((await relations(bob, root, { dir: 'f' })).chunk)).toEqual([threaded, dummy, edited]);
    expect(idsOf((await relations(bob, root, { relType: 'm.thread' })).chunk)).toEqual([dummy, threaded]);
    const typed = { relType: 'm.thread', eventType: 'm.room.message' };
    expect(idsOf((await relations(bob, root, typed)).chunk)).toEqual([threaded]);
    expect(await relations(bob, root, { relType: 'org.example.other' })).toEqual({ chunk: [] });
    expect(await relations(bob, threaded)).toEqual({ chunk: [] });
  });

  it('come page by page in both directions, none missing and none twice', async () => {
    const { alice, bob, say, relate, relations } = await startRelations(engine);
    const root = await say(alice);
    const sent: EventId[] = [];
    for (let i = 0; i < 10; i++) sent.push(await relate(i % 2 === 0 ? alice : bob, 'm.thread', root));
    for (const dir of ['b', 'f'] as const) {
      const pages: EventId[][] = [];
      for (let from: string | undefined; ;) {
        const page = await relations(bob, root, { dir, limit: 3, from });
        expect(page.prev_batch).toBe(from);
        pages.push(idsOf(page.chunk));
        from = page.next_batch;
        if (from === undefined) break;
      }
      expect(pages.map((page) => page.length)).toEqual([3, 3, 3, 1]);
      expect(pages.flat()).toEqual(dir === 'f' ? sent : sent.toReversed());
    }
    // A page that ends with the last event says so.
    expect((await relations(bob, root, { limit: 10 })).next_batch).toBeUndefined();
  });

  it('take tokens of /sync and of /messages, and stop at one', async () => {
    const { test, roomId, alice, bob, say, relate, relations } = await startRelations(engine);
    const root = await say(alice);
    const before = [await relate(alice, 'm.thread', root), await relate(alice, 'm.thread', root)];
    const { next_batch: since } = await test.syncOnce(bob);
    const after = [await relate(alice, 'm.thread', root), await relate(alice, 'm.thread', root)];
    expect(idsOf((await relations(bob, root, { from: since, dir: 'f' })).chunk)).toEqual(after);
    expect(idsOf((await relations(bob, root, { from: since })).chunk)).toEqual(before.toReversed());
    expect(idsOf((await relations(bob, root, { to: since })).chunk)).toEqual(after.toReversed());
    const { end } = await test.history(bob, roomId, { limit: 1 });
    expect(idsOf((await relations(bob, root, { from: end })).chunk)).toEqual([after[0], ...before.toReversed()]);
    const wrong = relations(bob, root, { from: 'nonsense' });
    await expect(wrong).rejects.toMatchObject({ status: 400, errcode: 'M_INVALID_PARAM' });
  });

  it('are followed three deep when asked to, as far as every event on the way passes', async () => {
    const { alice, bob, say, relate, edit, relations, redact } = await startRelations(engine);
    const root = await say(alice);
    const message = await relate(alice, 'm.thread', root);
    const edited = await edit(alice, message, 'better');
    const reaction = await relate(bob, 'm.annotation', edited, {}, { type: 'm.reaction', key: 'x' });
    const fourth = await relate(bob, 'm.reference', reaction);
    const direct = await relate(bob, 'm.reference', root);
    const ask = async (request: Partial<RelationsRequest>) => {
      const { chunk, recursion_depth: depth } = await relations(bob, root, request);
      return { ids: idsOf(chunk), depth };
    };
    expect(await ask({ recurse: true })).toEqual({ ids: [direct, reaction, edited, message], depth: 3 });
    expect(await ask({ recurse: true, dir: 'f' })).toEqual({ ids: [message, edited, reaction, direct], depth: 3 });
    expect(await ask({ recurse: false })).toEqual({ ids: [direct, message], depth: 1 });
    expect((await ask({})).depth).toBeUndefined();
    expect((await ask({ recurse: true, relType: 'm.annotation' })).ids).toEqual([]);
    expect((await ask({ recurse: true, relType: 'm.reference' })).ids).toEqual([direct]);
    expect((await ask({ recurse: true, relType: 'm.thread' })).ids).toEqual([message]);
    const below = await relations(bob, message, { recurse: true });
    expect(idsOf(below.chunk)).toEqual([fourth, reaction, edited]);
    const pages: EventId[] = [];
    for (let from: string | undefined; ;) {
      const page = await relations(bob, root, { recurse: true, limit: 1, from });
      pages.push(...idsOf(page.chunk));
      from = page.next_batch;
      if (from === undefined) break;
    }
    expect(pages).toEqual([direct, reaction, edited, message]);
    // What is redacted on the way leads nowhere.
    await redact(alice, edited);
    expect((await ask({ recurse: true })).ids).toEqual([direct, message]);
  });

  it('are gone with their redaction, and stay when what they relate to is redacted', async () => {
    const { alice, bob, say, relate, relations, redact } = await startRelations(engine);
    const root = await say(alice);
    const [kept, redacted] = [await relate(bob, 'm.thread', root), await relate(bob, 'm.reference', root)];
    await redact(bob, redacted);
    expect(idsOf((await relations(bob, root)).chunk)).toEqual([kept]);
    await redact(alice, root);
    expect(idsOf((await relations(bob, root)).chunk)).toEqual([kept]);
  });

  it('are told only of events that the asker may see, and only those that they may see', async () => {
    const { test, roomId, alice, bob, say, relate, relations } = await startRelations(engine);
    const [root, eve] = [await say(alice), await test.user('eve')];
    const early = await relate(alice, 'm.reference', root);
    await test.rooms.leaveRoom(bob, { roomId });
    const late = await relate(alice, 'm.reference', root);
    const hidden = await say(alice);
    expect(idsOf((await relations(bob, root)).chunk)).toEqual([early]);
    expect(idsOf((await relations(alice, root)).chunk)).toEqual([late, early]);
    const nowhere = { status: 404, errcode: 'M_NOT_FOUND' };
    await expect(relations(bob, hidden)).rejects.toMatchObject(nowhere);
    await expect(relations(eve, root)).rejects.toMatchObject(nowhere);
    await expect(relations(alice, '$nowhere' as EventId)).rejects.toMatchObject(nowhere);
    const other = await test.createRoom(alice);
    await expect(relations(alice, root, { roomId: other })).rejects.toMatchObject(nowhere);
  });

  it('lie in one room, and may be of state events', async () => {
    const { test, alice, bob, roomId, say, relate, relations, bundle } = await startRelations(engine);
    const root = await say(alice);
    const other = await test.createRoom(alice);
    await relate(alice, 'm.reference', root, {}, { room: other });
    await relate(alice, 'm.thread', root, {}, { room: other });
    expect((await relations(bob, root)).chunk).toEqual([]);
    expect(await bundle(bob, root)).toBeUndefined();
    const topic = await test.setState(alice, roomId, 'm.room.topic', { topic: 'talk' });
    const reaction = await relate(bob, 'm.annotation', topic, {}, { type: 'm.reaction', key: 'x' });
    expect(idsOf((await relations(bob, topic)).chunk)).toEqual([reaction]);
    const relation = { rel_type: 'm.reference', event_id: root };
    const named = await test.setState(alice, roomId, 'm.room.name', { name: 'room', 'm.relates_to': relation });
    expect(idsOf((await relations(bob, root)).chunk)).toEqual([named]);
  });

  it('are read in bounded portions when none of them passes', async () => {
    const { db, alice, bob, say, relate, relations } = await startRelations(engine);
    const root = await say(alice);
    for (let i = 0; i < 50; i++) await relate(alice, 'm.reference', root);
    db.reads.length = 0;
    expect(await relations(bob, root, { eventType: 'org.example.none', limit: 5 })).toEqual({ chunk: [] });
    expect(db.reads.length).toBeLessThan(12);
  });
});

describeOnBothEngines('what clients may not relate', (engine) => {
  const refusal = { status: 400, errcode: 'M_DUPLICATE_ANNOTATION' };

  it('is the same annotation a second time', async () => {
    const { alice, bob, say, relate, redact, test } = await startRelations(engine);
    const root = await say(alice);
    const react = (by: TestUser, key: string, type = 'm.reaction') =>
      relate(by, 'm.annotation', root, {}, { type, key });
    const first = await react(alice, '👍');
    await expect(react(alice, '👍')).rejects.toMatchObject(refusal);
    await react(alice, '👎');
    await react(bob, '👍');
    await react(alice, '👍', 'org.example.status');
    await redact(alice, first);
    await react(alice, '👍');
    await expect(react(alice, '👍')).rejects.toMatchObject(refusal);
    // A key of any length is one.
    await react(alice, 'x'.repeat(20_000));
    await expect(react(alice, 'x'.repeat(20_000))).rejects.toMatchObject(refusal);
    const eve = await test.user('eve');
    await expect(react(eve, '👍')).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
  });

  it('is the same with state events', async () => {
    const { alice, say, relate, test, roomId } = await startRelations(engine);
    const root = await say(alice);
    const reply = await relate(alice, 'm.thread', root);
    const state = (stateKey: string, relation: JsonObject) =>
      test.setState(alice, roomId, 'org.example.state', { 'm.relates_to': relation }, stateKey);
    const annotation = { rel_type: 'm.annotation', event_id: root, key: 'seen' };
    await state('a', annotation);
    await expect(state('b', annotation)).rejects.toMatchObject(refusal);
    // What is so already is no second one.
    await state('a', annotation);
    const nested = { rel_type: 'm.thread', event_id: reply };
    await expect(state('c', nested)).rejects.toMatchObject({ status: 400, errcode: 'M_UNKNOWN' });
  });

  it('is the same annotation at the same time, and not the same transaction', async () => {
    const { test, roomId, alice, say } = await startRelations(engine);
    const root = await say(alice);
    const react = (txnId: string) =>
      test.rooms.sendMessage(alice, {
        roomId,
        type: 'm.reaction',
        content: { 'm.relates_to': { rel_type: 'm.annotation', event_id: root, key: 'x' } },
        transaction: { deviceNid: alice.deviceNid, path: 'send', txnId },
      });
    const outcomes = await Promise.allSettled(['1', '2', '3'].map(react));
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected']);
    const [winner] = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(await react('1')).toBe(winner?.value);
  });

  it('is a thread within a thread, or at an edit', async () => {
    const { test, alice, bob, roomId, say, relate, edit, redact } = await startRelations(engine);
    const root = await say(alice);
    const message = await relate(alice, 'm.thread', root);
    const nested = { status: 400, errcode: 'M_UNKNOWN' };
    await expect(relate(bob, 'm.thread', message)).rejects.toMatchObject(nested);
    await expect(relate(bob, 'm.thread', await edit(alice, root, 'better'))).rejects.toMatchObject(nested);
    const fresh = test.restarted();
    const content = { 'm.relates_to': { rel_type: 'm.thread', event_id: message } };
    const send = (rooms: typeof fresh) => rooms.rooms.sendMessage(bob, { roomId, type: 'm.room.message', content });
    await expect(send(fresh)).rejects.toMatchObject(nested);
    // A reply is no relation in this sense.
    const reply = await test.say(alice, roomId, 'reply', { 'm.relates_to': { 'm.in_reply_to': { event_id: root } } });
    await relate(bob, 'm.thread', reply);
    await redact(alice, message);
    await relate(bob, 'm.thread', message);
  });
});
