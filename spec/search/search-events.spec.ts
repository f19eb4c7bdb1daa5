import { expect, it } from 'vitest';
import type { EventId } from '../../src/matrix/ids/ids.ts';
import { limits } from '../../src/platform/limits.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { SearchWorld } from './search-world.ts';

describeOnBothEngines('searching messages', (engine) => {
  const start = async () => {
    const world = new SearchWorld(await engine.open());
    const { test } = world;
    const [alice, bob] = [await test.user('alice'), await test.user('bob')];
    return { world, test, alice, bob };
  };
  const invalid = { status: 400, errcode: 'M_INVALID_PARAM' };

  it('finds words of bodies, names and topics, whatever their case and accents', async () => {
    const { world, test, alice } = await start();
    const roomId = await test.createRoom(alice, { name: 'Протоколы', topic: 'Über die Sitzung' });
    const body = await test.say(alice, roomId, 'Протокол заседания № 12: ЁЛКА, l’Élysée, 日本語の文');
    const state = await test.state(alice, roomId);
    const eventOf = (type: string) => state.find((event) => event.type === type)?.event_id;
    for (const term of ['протокол заседания', 'ЕЛКА', 'елк', 'elysee', '12', '日本', '語', 'засед прото'])
      expect(await world.ids(alice, term, { keys: ['content.body'] }), term).toEqual([body]);
    for (const term of ['протоколы', 'заседание', '1', '日文', '"', "' OR 1", 'елка*', 'NOT', '']) {
      const found = await world.ids(alice, term, { keys: ['content.body'] });
      expect(found, term).toEqual(term === 'елка*' ? [body] : []);
    }
    expect(await world.ids(alice, 'протокол')).toEqual([body, eventOf('m.room.name')]);
    expect(await world.ids(alice, 'протокол', { keys: ['content.name'] })).toEqual([eventOf('m.room.name')]);
    expect(await world.ids(alice, 'uber', { keys: ['content.topic'] })).toEqual([eventOf('m.room.topic')]);
    const { highlights, count } = await world.find(alice, 'протокол');
    expect([count, [...highlights].toSorted()]).toEqual([2, ['протокол', 'протоколы']]);
  });

  it('shows each what they may see, by their membership over time', async () => {
    const { world, test, alice, bob } = await start();
    const roomId = await test.createRoom(alice);
    await test.setState(alice, roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
    const before = await test.say(alice, roomId, 'secret before');
    expect(await world.ids(bob, 'secret')).toEqual([]);
    await test.rooms.joinRoom(bob, { roomId });
    const during = await test.say(alice, roomId, 'secret during');
    expect(await world.ids(bob, 'secret')).toEqual([during]);
    await test.rooms.leaveRoom(bob, { roomId });
    const after = await test.say(alice, roomId, 'secret after');
    expect(await world.find(bob, 'secret')).toMatchObject({ count: 1, results: [{ result: { event_id: during } }] });
    expect(await world.ids(alice, 'secret')).toEqual([after, during, before]);
    const other = await test.createRoom(alice, { preset: 'private_chat', invite: [bob.userId] });
    await test.say(alice, other, 'secret for members');
    expect(await world.ids(bob, 'secret')).toEqual([during]);
    await test.rooms.forgetRoom(bob, roomId);
    expect(await world.find(bob, 'secret')).toMatchObject({ count: 0, results: [] });
  });

  it('does not find what was redacted, erased, sent by ignored users or encrypted', async () => {
    const { world, test, alice, bob } = await start();
    const roomId = await test.createRoom(alice);
    const kept = await test.say(alice, roomId, 'word kept');
    const redacted = await test.say(alice, roomId, 'word redacted');
    await test.rooms.joinRoom(bob, { roomId });
    const ofBob = await test.say(bob, roomId, 'word of bob');
    expect(await world.ids(alice, 'word')).toEqual([ofBob, redacted, kept]);
    await test.rooms.redactEvent(alice, {
      roomId,
      eventId: redacted,
      content: {},
      transaction: { deviceNid: alice.deviceNid, path: 'redact', txnId: '1' },
    });
    expect(await world.ids(alice, 'word')).toEqual([ofBob, kept]);
    await test.setAccountData(alice, 'm.ignored_user_list', { ignored_users: { [bob.userId]: {} } });
    expect(await world.ids(alice, 'word')).toEqual([kept]);
    const carol = await test.user('carol');
    await test.deactivate(bob, { isErased: true });
    await test.rooms.joinRoom(carol, { roomId });
    expect(await world.ids(carol, 'word')).toEqual([kept]);
    const encrypted = await test.createRoom(alice, { name: 'word in the clear' });
    await test.say(alice, encrypted, 'word in the clear');
    expect(await world.ids(alice, 'clear')).toHaveLength(2);
    await test.setState(alice, encrypted, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' });
    await test.say(alice, encrypted, 'word by mistake');
    expect(await world.ids(alice, 'clear')).toEqual([]);
    expect(await world.ids(alice, 'mistake')).toEqual([]);
  });

  it('leaves out what the filter leaves out, and finds it in predecessors of a room when asked', async () => {
    const { world, test, alice, bob } = await start();
    const [one, two] = [await test.createRoom(alice), await test.createRoom(alice, { name: 'word' })];
    await test.rooms.joinRoom(bob, { roomId: one });
    const plain = await test.say(alice, one, 'word');
    const link = await test.say(bob, one, 'word with a link', { url: 'mxc://test/a' });
    const elsewhere = await test.say(alice, two, 'word elsewhere');
    const ids = async (filter: Parameters<SearchWorld['ids']>[2]) => world.ids(alice, 'word', filter);
    expect(await ids({ filter: { rooms: [one] } })).toEqual([link, plain]);
    expect(await ids({ filter: { not_rooms: [one], types: ['m.room.message'] } })).toEqual([elsewhere]);
    expect(await ids({ filter: { senders: [bob.userId] } })).toEqual([link]);
    expect(await ids({ filter: { not_senders: [alice.userId] } })).toEqual([link]);
    expect(await ids({ filter: { contains_url: true } })).toEqual([link]);
    expect(await ids({ filter: { contains_url: false, rooms: [one] } })).toEqual([plain]);
    expect(await ids({ filter: { not_types: ['m.room.m*'] } })).toHaveLength(1);
    expect(await ids({ filter: { rooms: [] } })).toEqual([]);
    expect(await ids({ filter: { rooms: ['!unknown'] } })).toEqual([]);
    const newer = await test.rooms.upgradeRoom(alice, {
      roomId: one,
      rules: test.rooms.roomVersion('12'),
      additionalCreators: [],
    });
    const after = await test.say(alice, newer, 'word after');
    expect(await ids({ filter: { rooms: [newer] } })).toEqual([after]);
    expect(await ids({ filter: { rooms: [one, newer] } })).toEqual([after, link, plain]);
  });

  it('goes through all results page by page, each once, in either order', async () => {
    const { world, test, alice } = await start();
    const roomId = await test.createRoom(alice);
    const sent: EventId[] = [];
    for (let i = 0; i < 23; i++) sent.push(await test.say(alice, roomId, `${'word '.repeat((i % 3) + 1)}number ${i}`));
    const all = async (orderBy: 'recent' | 'rank') => {
      const found: { id: EventId; rank: number }[] = [];
      let nextBatch: string | undefined;
      do {
        const page = await world.find(alice, 'word', { orderBy, nextBatch, filter: { limit: 5 } });
        expect(page.count).toBe(23);
        found.push(...page.results.map(({ result, rank }) => ({ id: result.event_id, rank })));
        nextBatch = page.next_batch;
        // What is said meanwhile moves nothing in the order of time.
        if (orderBy === 'recent' && found.length === 5) await test.say(alice, roomId, 'word meanwhile');
      } while (nextBatch !== undefined);
      return found;
    };
    const ranked = await all('rank');
    expect(ranked.map(({ id }) => id).toSorted()).toEqual(sent.toSorted());
    expect(ranked.map(({ rank }) => rank)).toEqual(ranked.map(({ rank }) => rank).toSorted((a, b) => b - a));
    expect(ranked[0]?.rank).toBeGreaterThan(0);
    expect((await all('recent')).map(({ id }) => id)).toEqual(sent.toReversed());
    const page = await world.find(alice, 'word', { filter: { limit: 1 } });
    for (const nextBatch of ['', 'nonsense', `${page.next_batch}x`, Buffer.from('["recent"]').toString('base64url')])
      await expect(world.find(alice, 'word', { orderBy: 'rank', nextBatch })).rejects.toMatchObject(invalid);
  });

  it('finds what is in any of many rooms, and nothing of others, in either order', async () => {
    const { world, test, alice, bob } = await start();
    const sent: EventId[] = [];
    for (let i = 0; i < 52; i++) {
      const roomId = await test.createRoom(alice);
      sent.push(await test.say(alice, roomId, i % 2 === 0 ? 'word' : 'word and another word'));
    }
    await test.say(bob, await test.createRoom(bob), 'word of bob');
    const filter = { limit: 20 };
    const pages = async (orderBy: 'recent' | 'rank'): Promise<EventId[]> => {
      const found: EventId[] = [];
      for (let nextBatch: string | undefined, isFirst = true; isFirst || nextBatch !== undefined; isFirst = false) {
        const page = await world.find(alice, 'word', { orderBy, filter, nextBatch });
        expect(page.count).toBe(52);
        found.push(...page.results.map(({ result }) => result.event_id));
        nextBatch = page.next_batch;
      }
      return found;
    };
    expect(await pages('recent')).toEqual(sent.toReversed());
    expect((await pages('rank')).toSorted()).toEqual(sent.toSorted());
  });

  it('finds what is older than many of other rooms', async () => {
    const { world, test, alice, bob } = await start();
    const sent: EventId[] = [];
    for (let i = 0; i < 12; i++) sent.push(await test.say(alice, await test.createRoom(alice), 'word'));
    const loud = await test.createRoom(bob);
    for (let i = 0; i < 520; i++) await test.say(bob, loud, 'word');
    const filter = { limit: 20 };
    expect(await world.ids(alice, 'word', { filter })).toEqual(sent.toReversed());
    expect(await world.ids(alice, 'word', { filter, orderBy: 'rank' })).toHaveLength(12);
  });

  it('groups by room and by sender, and goes on within a group', async () => {
    const { world, test, alice, bob } = await start();
    const [one, two] = [await test.createRoom(alice), await test.createRoom(alice)];
    await test.rooms.joinRoom(bob, { roomId: one });
    const first = await test.say(alice, one, 'word 1');
    const second = await test.say(bob, one, 'word 2');
    const third = await test.say(alice, two, 'word 3');
    const fourth = await test.say(alice, one, 'word 4');
    const groupBy = ['room_id', 'sender'] as const;
    const page = await world.find(alice, 'word', { groupBy, filter: { limit: 2 } });
    expect(page.groups).toMatchObject({
      room_id: { [one]: { results: [fourth], order: 0 }, [two]: { results: [third], order: 1 } },
      sender: { [alice.userId]: { results: [fourth, third], order: 0 } },
    });
    const next = (key: string, id: string) => page.groups?.[key]?.[id]?.next_batch;
    expect(await world.ids(alice, 'word', { groupBy, nextBatch: next('room_id', one) })).toEqual([second, first]);
    expect(await world.ids(alice, 'word', { groupBy, nextBatch: next('room_id', two) })).toEqual([]);
    expect(await world.ids(alice, 'word', { groupBy, nextBatch: next('sender', alice.userId) })).toEqual([first]);
    const ranked = await world.find(alice, 'word', { groupBy, orderBy: 'rank', filter: { limit: 1 } });
    const ofRoom = ranked.groups?.['room_id']?.[one]?.next_batch ?? ranked.groups?.['room_id']?.[two]?.next_batch;
    expect(ofRoom).toBeDefined();
    expect((await world.find(alice, 'word', { orderBy: 'rank', nextBatch: ofRoom })).groups).toBeUndefined();
  });

  it('tells what stands around a result, who they were then, and the state of its room', async () => {
    const { world, test, alice, bob } = await start();
    const roomId = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId });
    const sent: EventId[] = [];
    for (const text of ['one', 'two', 'three', 'four', 'five'])
      sent.push(await test.say(text === 'two' ? bob : alice, roomId, text));
    await test.rooms.profileChanged(bob.userId, { displayname: 'Bobby' });
    const context = { beforeLimit: 2, afterLimit: 1, includeProfile: true };
    const { results, state } = await world.find(alice, 'three', { context, includeState: true });
    const around = results[0]?.context;
    expect(around?.events_before.map((event) => event.event_id)).toEqual([sent[1], sent[0]]);
    expect(around?.events_after.map((event) => event.event_id)).toEqual([sent[3]]);
    expect(around?.profile_info).toEqual({
      [alice.userId]: { displayname: 'alice' },
      [bob.userId]: { displayname: 'bob' },
    });
    expect(state?.[roomId]?.map((event) => event.type)).toContain('m.room.create');
    const { chunk } = await test.history(alice, roomId, { dir: 'b', from: around?.start ?? '', limit: 1 });
    expect(chunk[0]?.type).toBe('m.room.member');
    const later = await test.history(alice, roomId, { dir: 'f', from: around?.end ?? '', limit: 1 });
    expect(later.chunk[0]?.event_id).toBe(sent[4]);
  });

  it('finds by more words than it looks for, and long texts', async () => {
    const { world, test, alice } = await start();
    const roomId = await test.createRoom(alice);
    const words = Array.from({ length: 5_000 }, (_, i) => `w${i}`);
    const id = await test.say(alice, roomId, words.join(' '), {}, 'long');
    expect(await world.ids(alice, words.slice(0, 100).join(' '))).toEqual([id]);
    expect(await world.ids(alice, `w${limits.searchedWordsMax - 1}`)).toEqual([id]);
    expect(await world.ids(alice, 'w4999')).toEqual([]);
  });
});
