import { expect, it } from 'vitest';
import { findAccountData } from '../../../src/accounts/account-data.ts';
import type { RoomId, ServerName } from '../../../src/matrix/ids/ids.ts';
import { canonicalJsonOf } from '../../../src/matrix/json/canonical-json.ts';
import { receiveEvent } from '../../../src/rooms/receive-event.ts';
import { describeOnBothEngines } from '../../support/databases.ts';
import { testPorts } from '../../support/test-ports.ts';
import { type LinkedServer, LinkedServers } from './support/linked-rooms.ts';

const [one, two] = ['one.test', 'two.test'] as ServerName[];

describeOnBothEngines('a room of another server that replaces one', (engine) => {
  /** As a transaction brings it. */
  const bringTombstone = async (home: LinkedServer, away: LinkedServer, roomId: RoomId): Promise<void> => {
    const dag = await home.ctx.dags.open(roomId);
    const event = await dag.currentEvent('m.room.tombstone', '');
    await away.ctx.locks.run(roomId, async () => {
      const body = canonicalJsonOf(dag.rules)(event!.pdu);
      const { ticket } = await receiveEvent(away.ctx, await away.ctx.dags.open(roomId), { event: event!, body });
      await ticket?.committed;
    });
  };

  it('has what its users had set for the other one, when they join it there', async () => {
    const links = new LinkedServers();
    const db = await engine.open();
    const home = links.add(one!, await engine.open(), testPorts(1));
    const away = links.add(two!, db, testPorts(2));
    const [alice, bob] = [await home.rooms.user('alice', one), await away.rooms.user('bob', two)];
    const roomId = await home.rooms.createRoom(alice, { preset: 'public_chat' });
    await away.rooms.rooms.joinRoom(bob, { roomId, via: [one!] });
    await away.rooms.setAccountData(bob, 'm.tag', { tags: { 'm.favourite': {} } }, roomId);
    await away.rooms.setAccountData(bob, 'm.direct', { [alice.userId]: [roomId] });
    const rules = home.rooms.rooms.roomVersion('12');
    const replacement = await home.rooms.rooms.upgradeRoom(alice, { roomId, rules, additionalCreators: [] });
    const pretended = await home.rooms.createRoom(alice, {
      preset: 'public_chat',
      creationContent: { predecessor: { room_id: roomId } },
    });
    await bringTombstone(home, away, roomId);
    const { next_batch: since } = await away.rooms.syncOnce(bob);
    const settings = async (room: RoomId) => ({
      tags: (await findAccountData({ db }, { ...bob, roomId: room, type: 'm.tag' }))?.['tags'],
      direct: (await findAccountData({ db }, { ...bob, roomId: undefined, type: 'm.direct' }))?.[alice.userId],
    });
    await away.rooms.rooms.joinRoom(bob, { roomId: pretended, via: [one!] });
    expect(await settings(pretended)).toEqual({ tags: undefined, direct: [roomId] });
    await away.rooms.rooms.joinRoom(bob, { roomId: replacement, via: [one!] });
    expect(await settings(replacement)).toEqual({ tags: { 'm.favourite': {} }, direct: [roomId, replacement] });
    const joined = (await away.rooms.syncOnce(bob, since)).rooms?.join?.[replacement];
    expect(joined?.account_data.events).toMatchObject([{ type: 'm.tag' }]);
  });
});
