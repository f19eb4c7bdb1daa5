import { expect, it } from 'vitest';
import type { UserId } from '../../../src/matrix/ids/ids.ts';
import { EventFlag } from '../../../src/storage/event-flags.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { useSending } from './support/sending-server.ts';

describeOnBothEngines('what other servers are sent', (engine) => {
  const sending = useSending(engine);

  it('is every event of our users, in order, to the servers in the room', async () => {
    const server = await sending.start();
    const { test, peers } = server;
    const alice = await test.user('alice');
    const roomId = await server.roomWith(alice, ['one', 'two']);
    const elsewhere = await server.roomWith(alice, ['three']);
    const said = [];
    for (let i = 0; i < 5; i++) said.push(await test.say(alice, roomId, `message ${i}`));
    await server.untilTaken('one', said);
    await server.untilTaken('two', said);
    expect(peers.eventsTo('one')).toEqual(said);
    expect(peers.eventsTo('two')).toEqual(said);
    expect(peers.to('three')).toEqual([]);
    const other = await test.say(alice, elsewhere, 'there');
    await server.untilTaken('three', [other]);
    const [first] = peers.to('one');
    expect(first?.pdus[0]).toMatchObject({ room_id: roomId, sender: alice.userId, type: 'm.room.message' });
    expect(JSON.parse(first?.text ?? '')).toMatchObject({ origin: 'test', origin_server_ts: expect.any(Number) });
  });

  it('goes to who comes from then on, and no longer to who has left', async () => {
    const server = await sending.start();
    const { test, peers } = server;
    const alice = await test.user('alice');
    const roomId = await server.roomWith(alice, ['one']);
    const before = await test.say(alice, roomId, 'before');
    await server.remote(roomId, { server: 'two' });
    await server.remote(roomId, { server: 'one', localpart: 'mallory' });
    const both = await test.say(alice, roomId, 'both');
    await server.remote(roomId, { server: 'one', membership: 'leave' });
    const still = await test.say(alice, roomId, 'mallory is still there');
    await server.remote(roomId, { server: 'one', localpart: 'mallory', membership: 'leave' });
    const after = await test.say(alice, roomId, 'after');
    await server.untilTaken('two', [both, still, after]);
    await server.untilQuiet();
    expect(peers.eventsTo('one')).toEqual([before, both, still]);
    expect(peers.eventsTo('two')).toEqual([both, still, after]);
  });

  it('includes a kick to a server that has nobody there any more, and events made through us to all others', async () => {
    const server = await sending.start();
    const { test, peers } = server;
    const alice = await test.user('alice');
    const roomId = await server.roomWith(alice, ['one', 'two']);
    const eve = '@eve:one' as UserId;
    await test.rooms.kickUser(alice, { roomId, target: eve });
    const kick = (await test.state(alice, roomId)).find(({ state_key: key }) => key === eve)!.event_id;
    await server.untilTaken('one', [kick]);
    await server.untilTaken('two', [kick]);
    await server.remote(roomId, { server: 'three', marks: EventFlag.sentOn });
    await server.untilQuiet();
    expect(peers.eventsTo('two')).toHaveLength(2);
    expect(peers.to('two').at(-1)?.pdus[0]).toMatchObject({ state_key: '@eve:three' });
    expect(peers.to('three')).toEqual([]);
    expect(peers.eventsTo('one')).toEqual([kick]);
  });

  it('is held back from servers that the room does not let in', async () => {
    const server = await sending.start();
    const { test, peers } = server;
    const alice = await test.user('alice');
    const roomId = await server.roomWith(alice, ['one', 'evil']);
    const first = await test.say(alice, roomId, 'first');
    const acl = await test.setState(alice, roomId, 'm.room.server_acl', { allow: ['*'], deny: ['evil'] });
    const second = await test.say(alice, roomId, 'second');
    await server.untilTaken('one', [first, acl, second]);
    await server.untilQuiet();
    expect(peers.eventsTo('evil')).toEqual([first, acl]);
  });
});
