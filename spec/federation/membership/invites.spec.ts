import { expect, it } from 'vitest';
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
    expect((await away.rooms.syncOnce(bob, since)).rooms?.leave?.[roomId]).toBeDefined();
    await away.rooms.rooms.leaveRoom(bob, { roomId });
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
