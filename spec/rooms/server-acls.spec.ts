import { expect, it } from 'vitest';
import type { RoomId, UserId } from '../../src/matrix/ids/ids.ts';
import type { JsonObject } from '../../src/matrix/json/json-value.ts';
import { describeOnBothEngines } from '../support/databases.ts';
import { testPorts } from '../support/test-ports.ts';
import { TestRooms } from '../support/test-rooms.ts';

describeOnBothEngines('server access control lists', (engine) => {
  const start = async () => {
    const test = new TestRooms(await engine.open(), testPorts(1), { serverNames: ['test', 'other'] });
    const [alice, bob] = [await test.user('alice'), await test.user('bob', 'other')];
    const roomId: RoomId = await test.createRoom(alice);
    const setAcl = (content: JsonObject, key = '') => test.setState(alice, roomId, 'm.room.server_acl', content, key);
    return { test, alice, bob, roomId, setAcl };
  };

  it('are state like any other, and keep nobody out who needs no other server', async () => {
    const { test, alice, bob, roomId, setAcl } = await start();
    const content = { allow: ['test', '*.example'], deny: ['other', 'evil.*'], allow_ip_literals: false };
    await test.rooms.joinRoom(bob, { roomId });
    await setAcl(content);
    expect(await test.rooms.stateEvent(bob, roomId, 'm.room.server_acl', '', 'content')).toEqual(content);
    // The list is for what comes over the network: within this server nothing does.
    await test.say(alice, roomId, 'one');
    await test.say(bob, roomId, 'two');
    await test.rooms.leaveRoom(bob, { roomId });
    await test.rooms.joinRoom(bob, { roomId });
    const target = '@carol:evil.example' as UserId;
    await test.rooms.banUser(alice, { roomId, target });
    expect((await test.history(bob, roomId)).chunk.flatMap((event) => event.content['body'] ?? [])).toEqual([
      'two',
      'one',
    ]);
  });

  it.each<[JsonObject, string]>([
    [{}, 'M_INVALID_PARAM'],
    [{ allow: [] }, 'M_INVALID_PARAM'],
    [{ allow: ['example.org'] }, 'M_INVALID_PARAM'],
    [{ allow: ['*'], deny: ['t?st'] }, 'M_INVALID_PARAM'],
    [{ allow: '*' }, 'M_BAD_JSON'],
    [{ allow: ['*', 7] }, 'M_BAD_JSON'],
    [{ allow: ['*'], deny: { evil: true } }, 'M_BAD_JSON'],
    [{ allow: ['*'], allow_ip_literals: 'false' }, 'M_BAD_JSON'],
  ])('are refused when they shut out their sender or cannot be read: %j', async (content, errcode) => {
    const { test, alice, setAcl } = await start();
    await expect(setAcl(content)).rejects.toMatchObject({ status: 400, errcode });
    const initialState = [{ type: 'm.room.server_acl', stateKey: '', content }];
    await expect(test.createRoom(alice, { initialState })).rejects.toMatchObject({ status: 400, errcode });
    await setAcl(content, 'of no meaning');
  });
});
