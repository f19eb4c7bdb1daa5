import { expect, it } from 'vitest';
import { withdrawInvites } from '../../../src/federation/membership/withdrawn-invites.ts';
import { canonicalJsonOf } from '../../../src/matrix/json/canonical-json.ts';
import type { ServerName } from '../../../src/matrix/ids/ids.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import { LinkedServers } from './support/linked-rooms.ts';

const [one, two] = ['one.test', 'two.test'] as ServerName[];

describeOnBothEngines('invites across servers', (engine) => {
  const start = async () => {
    const links = new LinkedServers();
    const home = links.add(one!, await engine.open(), testPorts(1));
    const away = links.add(two!, await engine.open(), testPorts(2));
    const [alice, bob] = [await home.rooms.user('alice', one), await away.rooms.user('bob', two)];
    const roomId = await home.rooms.createRoom(alice, { preset: 'private_chat', invite: [bob.userId], isDirect: true });
    const { next_batch: since, rooms } = await away.rooms.syncOnce(bob);
    return { links, home, away, alice, bob, roomId, since, shown: rooms?.invite?.[roomId] };
  };

  it('tell somebody who rejects one that they are out, although nobody is left to be told', async () => {
    const { home, away, alice, bob, roomId, since, shown } = await start();
    expect(shown).toBeDefined();
    await home.rooms.rooms.leaveRoom(alice, { roomId });
    await away.rooms.rooms.leaveRoom(bob, { roomId });
    const left = (await away.rooms.syncOnce(bob, since)).rooms?.leave?.[roomId];
    expect(left?.timeline.events).toMatchObject([{ sender: bob.userId, content: { membership: 'leave' } }]);
    await away.rooms.rooms.leaveRoom(bob, { roomId });
  });

  it('end with the event by which they were rejected', async () => {
    const { home, away, alice, bob, roomId, since } = await start();
    await away.rooms.rooms.leaveRoom(bob, { roomId, reason: 'no' });
    const left = (await away.rooms.syncOnce(bob, since)).rooms?.leave?.[roomId];
    const member = await (await home.ctx.dags.open(roomId)).currentEvent('m.room.member', bob.userId);
    expect(left?.timeline.events).toMatchObject([
      { event_id: member?.eventId, state_key: bob.userId, content: { membership: 'leave', reason: 'no' } },
    ]);
    await home.rooms.rooms.inviteUser(alice, { roomId, target: bob.userId });
    await away.rooms.rooms.joinRoom(bob, { roomId });
    await home.rooms.rooms.kickUser(alice, { roomId, target: bob.userId });
  });

  it.each(['leave', 'ban'] as const)('are withdrawn by whoever made them, with a %s', async (membership) => {
    const { home, away, alice, bob, roomId, since } = await start();
    const carol = await home.rooms.user('carol', one);
    await home.rooms.rooms.inviteUser(alice, { roomId, target: carol.userId });
    await home.rooms.rooms.joinRoom(carol, { roomId });
    await home.rooms.setState(alice, roomId, 'm.room.power_levels', { users: { [carol.userId]: 100 } });
    const awayDag = await away.ctx.dags.open(roomId);
    const told = async () => {
      const event = await (await home.ctx.dags.open(roomId)).currentEvent('m.room.member', bob.userId);
      const checked = { event: event!, body: canonicalJsonOf(awayDag.rules)(event!.pdu) };
      return withdrawInvites(away.ctx, awayDag, [checked]);
    };
    await home.rooms.rooms.kickUser(carol, { roomId, target: bob.userId });
    expect((await told()).size).toBe(0);
    expect((await away.rooms.syncOnce(bob)).rooms?.invite?.[roomId]).toBeDefined();
    const by = { roomId, target: bob.userId, reason: 'changed my mind' };
    await home.rooms.rooms.inviteUser(alice, by);
    await (membership === 'ban' ? home.rooms.rooms.banUser(alice, by) : home.rooms.rooms.kickUser(alice, by));
    expect((await told()).size).toBe(1);
    const { rooms } = await away.rooms.syncOnce(bob, since);
    expect(rooms?.invite?.[roomId]).toBeUndefined();
    expect(rooms?.leave?.[roomId]?.timeline.events).toMatchObject([
      { sender: alice.userId, state_key: bob.userId, content: { membership, reason: 'changed my mind' } },
    ]);
    const later = await away.rooms.syncOnce(bob);
    expect(later.rooms?.invite?.[roomId]).toBeUndefined();
  });

  it('are what a join replaces', async () => {
    const { away, alice, bob, roomId, since } = await start();
    await away.rooms.rooms.joinRoom(bob, { roomId });
    const [join] = (await away.rooms.syncOnce(bob, since)).rooms?.join?.[roomId]?.timeline.events ?? [];
    expect(join?.unsigned).toMatchObject({
      prev_content: { membership: 'invite', is_direct: true },
      prev_sender: alice.userId,
    });
  });
});
