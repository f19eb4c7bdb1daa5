/** What clients agree on among themselves passes through untouched: image packs, recent emoji, time zones. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/matrix/json/json-value.ts';
import { useLoopbackServer } from '../../support/loopback-server.ts';
import { TestClient, roomPath, succeeded } from '../../support/test-client.ts';

const pack: JsonObject = {
  pack: { display_name: 'Cats', usage: ['emoticon', 'sticker'] },
  images: { smile: { url: 'mxc://example.org/a', body: '😺', info: { w: 1, h: 2, mimetype: 'image/png' } } },
};

describe('what this server does not look into', () => {
  const running = useLoopbackServer();

  it.each<[string, JsonObject]>([
    ['im.ponies.user_emotes', pack],
    ['im.ponies.emote_rooms', { rooms: { '!a:example.org': { cats: {} } } }],
    ['m.recent_emoji', { recent_emoji: [{ emoji: '😺', total: 3 }] }],
    ['io.element.recent_emoji', { recent_emoji: [['😺', 3]] }],
  ])('keeps the account data %s, and tells other devices of it', async (type, content) => {
    const alice = await TestClient.register(running, 'alice');
    const path = `/user/${encodeURIComponent(alice.userId)}/account_data/${type}`;
    await succeeded(alice.put(path, content));
    expect(await succeeded(alice.get(path))).toEqual(content);
    const { account_data: data } = await succeeded(alice.get('/sync'));
    expect((data as { events: unknown[] }).events).toContainEqual({ type, content });
  });

  it('keeps image packs of rooms', async () => {
    const alice = await TestClient.register(running, 'alice');
    const roomId = await alice.createRoom({});
    for (const type of ['im.ponies.room_emotes', 'm.room.image_pack']) {
      await alice.setState(roomId, type, pack, 'cats');
      expect(await succeeded(alice.get(`${roomPath(roomId)}/state/${type}/cats`))).toEqual(pack);
    }
  });

  it('keeps time zones and other fields of profiles', async () => {
    const [alice, bob] = [await TestClient.register(running, 'alice'), await TestClient.register(running, 'bob')];
    const profile = `/profile/${encodeURIComponent(alice.userId)}`;
    await succeeded(alice.put(`${profile}/m.tz`, { 'm.tz': 'Europe/Moscow' }));
    await succeeded(alice.put(`${profile}/org.example.pronouns`, { 'org.example.pronouns': [{ summary: 'she' }] }));
    expect(await succeeded(bob.get(profile))).toEqual({
      displayname: 'alice',
      'm.tz': 'Europe/Moscow',
      'org.example.pronouns': [{ summary: 'she' }],
    });
    expect(await succeeded(bob.get(`${profile}/m.tz`))).toEqual({ 'm.tz': 'Europe/Moscow' });
  });
});
