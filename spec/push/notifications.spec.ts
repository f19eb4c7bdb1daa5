import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { addPushRule } from '../../src/matrix/push-rules/edit-push-rules.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { usePush } from '../support/test-push.ts';
import { type ClientEvent, type TestUser, asSent } from '../support/test-rooms.ts';

interface Listed {
  readonly room_id: string;
  readonly event: ClientEvent;
  readonly read: boolean;
  readonly actions: readonly (string | JsonObject)[];
  readonly ts: number;
}

describeOnBothEngines('the list of notifications', (engine) => {
  const pushes = usePush(engine);
  const start = async () => {
    const at = await pushes.start();
    const { test } = at;
    const [alice, bob, carol] = [await test.user('alice'), await test.user('bob'), await test.user('carol')];
    const [first, second] = [await test.createRoom(alice), await test.createRoom(carol)];
    await test.say(alice, first, 'before bob came');
    for (const roomId of [first, second])
      for (const user of [alice, bob, carol]) await test.rooms.joinRoom(user, { roomId });
    const page = async (user: TestUser, from?: string, limit = 20, onlyHighlights = false) => {
      const { notifications, next_token: next } = await at.push.listNotifications(user, {
        from,
        limit,
        onlyHighlights,
      });
      return { listed: asSent<Listed[]>([...notifications]), next };
    };
    const all = async (user: TestUser, limit: number, onlyHighlights = false): Promise<Listed[]> => {
      const found: Listed[] = [];
      for (let from: string | undefined; ;) {
        const { listed, next } = await page(user, from, limit, onlyHighlights);
        found.push(...listed);
        if (next === undefined) return found;
        from = next;
      }
    };
    return { at, test, alice, bob, carol, first, second, page, all };
  };
  const bodies = (listed: readonly Listed[]) => listed.map(({ event }) => event.content['body']);

  it('has those of all rooms, the newest first, whatever the length of a page', async () => {
    const { test, alice, bob, carol, first, second, all, page } = await start();
    for (let i = 0; i < 7; i++) {
      await test.say(i % 3 === 0 ? carol : alice, i % 2 === 0 ? first : second, `${i}`);
      await test.say(bob, first, `own ${i}`);
    }
    for (const limit of [1, 2, 3, 100])
      expect(bodies(await all(bob, limit))).toEqual(['6', '5', '4', '3', '2', '1', '0']);
    expect((await page(bob, undefined, 3)).listed).toHaveLength(3);
    await expect(page(bob, 'x')).rejects.toMatchObject({ errcode: 'M_INVALID_PARAM' });
  });

  it('says what is read, of threads too, and what the rules say', async () => {
    const { at, test, alice, bob, first, page } = await start();
    const root = await test.say(alice, first, 'root');
    const relates = { 'm.relates_to': { rel_type: 'm.thread', event_id: root } };
    const inThread = await test.say(alice, first, 'in thread', relates);
    await test.say(alice, first, 'you', { 'm.mentions': { user_ids: [bob.userId] } });
    await test.rooms.setReceipt(bob, first, 'm.read', inThread, root);
    const { listed, next } = await page(bob);
    expect(next).toBeUndefined();
    expect(listed.map(({ event, read, actions }) => [event.content['body'], read, actions])).toEqual([
      ['you', false, ['notify', { set_tweak: 'sound', value: 'default' }, { set_tweak: 'highlight' }]],
      ['in thread', true, ['notify']],
      ['root', false, ['notify']],
    ]);
    const [newest] = listed;
    expect(newest).toMatchObject({ room_id: first, ts: at.ports.clock.nowMs(), event: { sender: alice.userId } });
    expect(newest?.event.room_id).toBeUndefined();
    expect(bodies((await page(bob, undefined, 20, true)).listed)).toEqual(['you']);
  });

  it('has an invite, and nothing of what was muted, ignored, redacted or left', async () => {
    const { test, alice, bob, carol, first, second, page } = await start();
    await test.say(alice, second, 'muted');
    await test.editPushRules(bob, (changes) => addPushRule(changes, 'room', second, { actions: [] }, {}));
    await test.say(carol, first, 'ignored');
    await test.setAccountData(bob, 'm.ignored_user_list', { ignored_users: { [carol.userId]: {} } });
    const redacted = await test.say(alice, first, 'redacted');
    const transaction = { deviceNid: alice.deviceNid, path: 'redact', txnId: '1' };
    await test.rooms.redactEvent(alice, { roomId: first, eventId: redacted, content: {}, transaction });
    const left = await test.createRoom(alice);
    await test.rooms.joinRoom(bob, { roomId: left });
    await test.say(alice, left, 'left');
    await test.rooms.leaveRoom(bob, { roomId: left });
    const invited = await test.createRoom(alice, { preset: 'private_chat', invite: [bob.userId] });
    await test.say(alice, invited, 'not to be seen');
    const { listed } = await page(bob);
    expect(listed.map(({ room_id: room, event }) => [room, event.type])).toEqual([[invited, 'm.room.member']]);
  });

  it('ends with what is a month old, and looks at so many events at once', async () => {
    const { at, test, alice, bob, first, second, page, all } = await start();
    await test.say(alice, first, 'old');
    await at.ports.advance(31 * 86_400_000);
    await test.say(alice, second, 'new');
    for (let i = 0; i < 1_010; i += 101)
      await Promise.all(Array.from({ length: 101 }, (_, j) => test.say(bob, first, `${i + j}`)));
    const { listed, next } = await page(bob);
    expect([listed, typeof next]).toEqual([[], 'string']);
    expect(bodies(await all(bob, 5))).toEqual(['new']);
  });
});
