import { expect, it } from 'vitest';
import { describeOnBothEngines } from '../../support/databases.ts';
import { WatchedDatabase } from '../../support/watched-database.ts';
import { useSending } from './support/sending-server.ts';

describeOnBothEngines('which servers are told', (engine) => {
  const sending = useSending(engine);

  it('is as it was at each event, also where the room is read only afterwards', async () => {
    let watched: WatchedDatabase | undefined;
    const server = await sending.start({ watch: (db) => (watched = new WatchedDatabase(db)) });
    const { test, peers } = server;
    const alice = await test.user('alice');
    const held = watched!.holdNext('outgoing.joinedServers');
    const roomId = await test.createRoom(alice);
    const nobody = await test.say(alice, roomId, 'to nobody');
    await server.remote(roomId, { server: 'one' });
    const one = await test.say(alice, roomId, 'to one');
    await server.remote(roomId, { server: 'one', localpart: 'mallory' });
    await server.remote(roomId, { server: 'two' });
    const both = await test.say(alice, roomId, 'to both');
    await server.remote(roomId, { server: 'one', membership: 'leave' });
    await held.reached;
    held.release();
    await server.remote(roomId, { server: 'one', localpart: 'mallory', membership: 'leave' });
    const two = await test.say(alice, roomId, 'to two');
    await server.untilTaken('two', [both, two]);
    await server.untilQuiet();
    expect([peers.eventsTo('one'), peers.eventsTo('two')]).toEqual([
      [one, both],
      [both, two],
    ]);
    expect(peers.taken.flatMap(({ eventIds }) => eventIds)).not.toContain(nobody);
  });

  it('costs nothing where the room is known and nobody leaves', async () => {
    let watched: WatchedDatabase | undefined;
    const server = await sending.start({ watch: (db) => (watched = new WatchedDatabase(db)) });
    const { test } = server;
    const alice = await test.user('alice');
    const roomId = await server.roomWith(alice, ['one']);
    await server.untilTaken('one', [await test.say(alice, roomId, 'warm')]);
    await server.remote(roomId, { server: 'two' });
    await server.untilQuiet();
    watched!.reads.length = watched!.written.length = 0;
    const eventId = await test.say(alice, roomId, 'hot');
    for (const name of ['one', 'two']) await server.untilTaken(name, [eventId]);
    await server.untilQuiet();
    expect(watched!.reads).toEqual([]);
    expect(watched!.written.filter((name) => !name.startsWith('event') && !name.startsWith('extremity'))).toHaveLength(
      2,
    );
  });
});
